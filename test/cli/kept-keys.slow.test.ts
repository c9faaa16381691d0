import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeIdentity } from '#src/identity/certificate.js';
import { loadIdentity } from '#src/identity/identity.js';
import { Child, NodeProcess, PROGRAM } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';
import { listeningHop } from './listening.js';

/* Which keys a node refuses to serve that has the folder of its user as root. */

function writeKey(path: string): void {
  const { key, cert } = makeIdentity();
  writeFileSync(path, key + cert, { mode: 0o600 });
}

async function assertStatus(port: number, status: number, ...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const response = await fetch(`http://127.0.0.1:${port}/${path}`);
    await response.body?.cancel();
    assert.equal(response.status, status, path);
  }
}

/** A node that serves a home folder, in an environment with nothing but this home. */
async function startAtHome(t: TestContext, home: string, ...args: readonly string[]): Promise<Child> {
  const env = { PATH: process.env['PATH'], HOME: home };
  const all = [PROGRAM, 'server', '0', '--dotfiles', '--log-format', 'json', ...args];
  const node = new Child(t, process.execPath, all, { cwd: home, env });
  await node.until(({ stdout }) => stdout.includes('the server is ready'));
  return node;
}

const STATE = '.local/state/viaduct';

test('a node with --key does not serve the state folder that is made after its start', async (t) => {
  const home = tempFolder(t);
  writeKey(join(home, 'k.pem'));
  const { port } = await listeningHop(await startAtHome(t, home, '--key', 'k.pem'));
  await loadIdentity(join(home, STATE), 'client');
  writeFileSync(join(home, STATE, 'known_hosts'), '');
  await assertStatus(port, 403, 'k.pem', STATE, `${STATE}/client.pem`, `${STATE}/known_hosts`);
});

test('a node with --state serves neither the usual state folder of its user nor the key of another node', async (t) => {
  const home = tempFolder(t);
  for (const folder of [STATE, 'other']) await loadIdentity(join(home, folder), 'node');
  writeFileSync(join(home, STATE, 'known_hosts'), '');
  const { port } = await listeningHop(await startAtHome(t, home, '--state', 'mine'));
  await assertStatus(
    port,
    403,
    `${STATE}/node.pem`,
    `${STATE}/known_hosts`,
    'mine/node.pem',
    'other/node.pem',
  );
});

test('after SIGHUP, the key that the link of --key leads to now is not served', async (t) => {
  const root = tempFolder(t);
  for (const folder of ['live', 'archive']) mkdirSync(join(root, folder));
  for (const name of ['1.pem', '2.pem']) writeKey(join(root, 'archive', name));
  const link = join(root, 'live/key.pem');
  symlinkSync('../archive/1.pem', link);
  const node = await NodeProcess.start(t, { root, args: ['--key', link] });
  symlinkSync('../archive/2.pem', `${link}.new`);
  renameSync(`${link}.new`, link);
  node.process.kill('SIGHUP');
  await node.until(({ log }) => log.some(({ msg }) => msg === 'key and certificate read again'));
  await assertStatus(node.hop.port, 403, 'live/key.pem', 'archive/1.pem', 'archive/2.pem');
});

test('--key needs no home folder, and no state folder that can be read', async (t) => {
  const folder = tempFolder(t);
  writeKey(join(folder, 'k.pem'));
  for (const home of ['', '/dev/null']) {
    const env = { PATH: process.env['PATH'], HOME: home };
    const args = [PROGRAM, 'server', '0', '--key', 'k.pem'];
    const node = new Child(t, process.execPath, args, { cwd: folder, env });
    await node.until(({ stdout }) => stdout.includes('the server is ready'));
    const { port } = await listeningHop(node);
    await assertStatus(port, 403, 'k.pem');
  }
});
