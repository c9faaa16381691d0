import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatHop } from 'viaduct';
import { loadIdentity } from '#src/identity/identity.js';
import { pinOfCertificate } from '#src/identity/pin.js';
import { havePeer } from '../support/peers.js';
import { NodeProcess, runViaduct } from '../support/processes.js';
import { PIN } from '../support/identity.js';
import { tempFolder } from '../support/temp.js';

/** For a user without a home folder, as in containers. */
const HOMELESS = { PATH: process.env['PATH'], HOME: '' };
const NO_HOME = /no home folder for keys and known hosts; use --state DIR/;

test('--pin, --plain and --ca need no state folder; without them its failure is reported', async (t) => {
  if (!havePeer(t, 'openssl')) return;
  const root = tempFolder(t);
  writeFileSync(join(root, 'a.txt'), 'hi\n');
  const name = '-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1';
  const command = `req -x509 -nodes ${name} -keyout k.pem -out c.pem -days 10 -newkey rsa:2048`;
  execFileSync('openssl', command.split(' '), { cwd: root, stdio: 'ignore' });
  const [key, cert] = [join(root, 'k.pem'), join(root, 'c.pem')];
  chmodSync(key, 0o600);
  const node = await NodeProcess.start(t, { root, args: ['--key', key, '--cert', cert] });
  const pin = pinOfCertificate(execFileSync('openssl', ['x509', '-in', cert]));
  const get = (...args: readonly string[]) =>
    runViaduct(t, ['get', `${formatHop(node.hop)}/a.txt`, '-o', '-', '-q', ...args], { env: HOMELESS });
  for (const trust of [['--pin', pin], ['--pin', ` ${pin} `], ['--ca', cert], ['--plain']])
    for (const state of [[], ['--state', '/dev/null'], ['--state', join(key, 'x')]]) {
      const run = await get(...trust, ...state);
      assert.deepEqual(run, { code: 0, stdout: 'hi\n', stderr: '' }, [...trust, ...state].join(' '));
    }
  const homeless = await get();
  assert.deepEqual([homeless.code, NO_HOME.test(homeless.stderr)], [2, true], homeless.stderr);
  assert.equal((await get('--state', '/dev/null')).code, 26);
});

test('a client.pem that is damaged fails also with --pin; one that others can read gives a warning', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'a.txt'), 'hi\n');
  const { hop } = await NodeProcess.start(t, { root });
  const get = (state: string) =>
    runViaduct(t, ['get', `${formatHop(hop)}/a.txt`, '-o', '-', '-q', '--pin', PIN, '--state', state]);
  const damaged = join(root, 'damaged');
  mkdirSync(damaged);
  writeFileSync(join(damaged, 'client.pem'), 'garbage', { mode: 0o600 });
  assert.equal((await get(damaged)).code, 58);

  const open = join(root, 'open');
  const path = join(open, 'client.pem');
  await loadIdentity(open, 'client');
  chmodSync(path, 0o644);
  assert.deepEqual(await get(open), {
    code: 0,
    stdout: 'hi\n',
    stderr: `viaduct: warning: other users can access the private key in ${path} (mode 0644); run: chmod 600 ${path}\n`,
  });
});
