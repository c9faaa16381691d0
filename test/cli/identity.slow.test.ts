import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pinOfCertificate } from '#src/identity/pin.js';
import { runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

const identity = (...args: readonly string[]) => runInProcess(['identity', ...args]);

/** The first certificate in a PEM file. */
const pinIn = (path: string): string =>
  pinOfCertificate(Buffer.from(readFileSync(path, 'utf8').replace(/^.*?(?=-----BEGIN CERT)/s, '')));

test('viaduct identity prints the pin of the node, and makes its key when first run', async (t) => {
  const state = join(tempFolder(t), 'state');
  const first = await identity('--state', state);
  assert.match(first.stdout, /^sha256\/\/[A-Za-z0-9+/]{43}=\n$/);
  assert.deepEqual(first, { code: 0, stdout: `${pinIn(join(state, 'node.pem'))}\n`, stderr: '' });
  assert.deepEqual(await identity('--state', state), first);
  assert.equal(statSync(state).mode & 0o777, 0o700);
  assert.equal(statSync(join(state, 'node.pem')).mode & 0o777, 0o600);
});

test('viaduct identity --client prints the pin of the client', async (t) => {
  const state = tempFolder(t);
  const run = await identity('--client', '--state', state);
  assert.equal(run.stdout, `${pinIn(join(state, 'client.pem'))}\n`);
  assert.deepEqual(readdirSync(state), ['client.pem']);
});

test('viaduct identity --qr prints a QR code below the pin', async (t) => {
  const state = tempFolder(t);
  const [pin = '', ...code] = (await identity('--qr', '--state', state)).stdout.trimEnd().split('\n');
  assert.equal(`${pin}\n`, (await identity('--state', state)).stdout);
  // Version 4: 33 modules, a border of 2 on each side, two rows in a line.
  assert.equal(code.length, 19);
  for (const line of code) assert.match(line, /^[█▀▄ ]{37}$/);
});

test('the state folder is in XDG_STATE_HOME, or else in the home folder', async (t) => {
  const home = tempFolder(t);
  const env = { PATH: process.env['PATH'], HOME: home };
  const run = await runViaduct(t, ['identity'], { env });
  assert.equal(run.stdout, `${pinIn(join(home, '.local/state/viaduct/node.pem'))}\n`);
  const configured = join(home, 'configured');
  const other = await runViaduct(t, ['identity'], { env: { ...env, XDG_STATE_HOME: configured } });
  assert.equal(other.stdout, `${pinIn(join(configured, 'viaduct/node.pem'))}\n`);
});

test('ten processes that make the identity at once agree on it', async (t) => {
  const state = join(tempFolder(t), 'state');
  const runs = await Promise.all(
    Array.from({ length: 10 }, () => runViaduct(t, ['identity', '--state', state])),
  );
  const expected = { code: 0, stdout: `${pinIn(join(state, 'node.pem'))}\n`, stderr: '' };
  for (const run of runs) assert.deepEqual(run, expected);
  assert.deepEqual(readdirSync(state), ['node.pem']);
});

test('failures: one line each', async (t) => {
  const state = join(tempFolder(t), 'state');
  mkdirSync(state);
  writeFileSync(join(state, 'node.pem'), 'garbage', { mode: 0o600 });
  assertOneLine(
    await identity('--state', state),
    58,
    /: cannot use \S+\/node\.pem: it has no private key in PEM form; move or delete it to get a new identity\n$/,
  );
  chmodSync(state, 0o777);
  assertOneLine(
    await identity('--state', state),
    26,
    /: cannot use the state folder \S+: it is writable by others; run: chmod go-w /,
  );
  assertOneLine(await identity('--state', join(state, 'node.pem')), 26, /node\.pem: not a directory\n$/);
  assertOneLine(await identity('x'), 2, /too many arguments/);
});
