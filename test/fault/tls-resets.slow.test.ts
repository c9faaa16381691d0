import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { formatHop } from 'viaduct';
import { NodeProcess, runViaduct } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;
const ROUNDS = 15;

/** A connection in TLS, with its raw socket. */
async function secure(t: TestContext, { hop }: NodeProcess) {
  const raw = connect(hop);
  const tls = connectTls({ socket: raw, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  for (const socket of [raw, tls]) socket.on('error', () => {});
  t.after(() => [tls.destroy(), raw.destroy()]);
  await once(tls, 'secureConnect');
  return { raw, tls };
}

/** It has closed, with an error or without. */
const gone = (socket: Socket): Promise<void> =>
  new Promise((resolve) => void socket.resume().once('close', () => resolve()));

const REQUEST = 'GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** Node frees OpenSSL too early when a TLS connection is reset at a bad moment, and the process is gone (src/tcp/stream.ts). */
test('a node outlives every way in which TLS connections break', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), Buffer.alloc(8 * MIB));
  const node = await NodeProcess.start(t, { root, args: ['--state', tempFolder(t), '--timeout', '0.2'] });
  const ways: readonly ((index: number) => Promise<unknown>)[] = [
    async () => {
      const raw = connect(node.hop).on('error', () => {});
      await once(raw, 'connect');
      raw.write(Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]));
      await gone(raw);
    },
    async () => {
      const { raw } = await secure(t, node);
      raw.resetAndDestroy();
    },
    async () => {
      const { raw, tls } = await secure(t, node);
      tls.write(REQUEST);
      await once(tls, 'data');
      raw.resetAndDestroy();
    },
    async () => {
      const { raw, tls } = await secure(t, node);
      tls.write(REQUEST);
      await once(tls, 'data');
      raw.write('no record of TLS');
      await gone(raw);
    },
    async () => {
      const { tls } = await secure(t, node);
      tls.write('GET /file HTTP/1.1\r\nbroken');
      await gone(tls); // The limit for a head ends it.
    },
    async () => {
      const { tls } = await secure(t, node);
      tls.write('\0no such message\n');
      await gone(tls);
    },
    async () => {
      const { tls } = await secure(t, node);
      tls.end(REQUEST);
      await gone(tls);
    },
  ];
  for (let round = 0; round < ROUNDS; round += 1) {
    await Promise.all(ways.map((way) => way(round)));
    assert.equal(node.process.exitCode ?? node.process.signalCode, null, node.stderr);
  }
  const handshake = node.log.find(({ code }) => code === 'TLS_FAILED');
  assert.match(String(handshake?.msg), /^the TLS handshake failed: /);
  // The messages of OpenSSL have memory addresses in them.
  assert.match(String(handshake?.['cause']), /^[a-z ]+$/);
  const { tls } = await secure(t, node);
  tls.write(REQUEST);
  await once(tls, 'data');
  node.process.kill('SIGTERM');
  await node.until(({ log }) => log.some(({ msg }) => msg === 'stopping'));
  node.process.kill('SIGINT');
  assert.equal(await node.ended, 130, node.stderr);
});

test('a client that refuses a key ends with its error, not with a crash', async (t) => {
  const node = await NodeProcess.start(t, { root: tempFolder(t), args: ['--state', tempFolder(t)] });
  const wrong = `sha256//${Buffer.alloc(32).toString('base64')}`;
  for (let round = 0; round < 3; round += 1) {
    const run = await runViaduct(t, ['get', `${formatHop(node.hop)}/file`, '--pin', wrong]);
    assert.equal(run.code, 60, run.stderr);
  }
});
