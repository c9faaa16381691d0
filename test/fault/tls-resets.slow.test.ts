import assert from 'node:assert/strict';
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

/*
 * The node has a limit of 0.2 s for what a client sends. On a busy machine it ends connections that were to break in another way:
 * these are made again, or have broken all the same.
 */

/** A connection without TLS. */
async function opened(t: TestContext, node: NodeProcess): Promise<Socket> {
  const raw = connect(node.hop).on('error', () => {});
  t.after(() => raw.destroy());
  return (await first(raw, 'connect')) ? raw : again(() => opened(t, node), node);
}

/** A connection in TLS, with its raw socket. */
async function secure(t: TestContext, node: NodeProcess): Promise<{ raw: Socket; tls: Socket }> {
  const raw = connect(node.hop);
  const tls = connectTls({ socket: raw, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  for (const socket of [raw, tls]) socket.on('error', () => {});
  t.after(() => [tls.destroy(), raw.destroy()]);
  return (await first(tls, 'secureConnect')) ? { raw, tls } : again(() => secure(t, node), node);
}

/** As long as the node lives: a test that has failed kills it. */
function again<Result>(open: () => Promise<Result>, node: NodeProcess): Promise<Result> {
  const { exitCode, signalCode } = node.process;
  assert.equal(exitCode ?? signalCode, null, node.stderr);
  return open();
}

/** Asks for the file. False if the connection ends before the reply begins. */
function asked(tls: Socket): Promise<boolean> {
  tls.write(REQUEST);
  return first(tls, 'data');
}

/** True if the event comes, false if the socket closes before. */
function first(socket: Socket, event: 'connect' | 'secureConnect' | 'data'): Promise<boolean> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve(false);
    socket.once(event, () => resolve(true)).once('close', () => resolve(false));
  });
}

/** It has closed, with an error or without. */
const gone = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) return resolve();
    socket.resume().once('close', () => resolve());
  });

const REQUEST = 'GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** Node frees OpenSSL too early when a TLS connection is reset at a bad moment, and the process is gone (src/tcp/stream.ts). */
test('a node outlives every way in which TLS connections break', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), Buffer.alloc(8 * MIB));
  const node = await NodeProcess.start(t, { root, args: ['--state', tempFolder(t), '--timeout', '0.2'] });
  const ways: readonly ((index: number) => Promise<unknown>)[] = [
    async () => {
      const raw = await opened(t, node);
      raw.write(Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]));
      await gone(raw);
    },
    async () => {
      const { raw } = await secure(t, node);
      raw.resetAndDestroy();
    },
    async () => {
      const { raw, tls } = await secure(t, node);
      await asked(tls);
      raw.resetAndDestroy();
    },
    async () => {
      const { raw, tls } = await secure(t, node);
      await asked(tls);
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
  while (!(await asked((await secure(t, node)).tls)));
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
