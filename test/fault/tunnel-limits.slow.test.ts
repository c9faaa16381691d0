import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { type ErrorCode, type HostHop, type NodeEvent, formatHop } from 'viaduct';
import { faultProxy } from '../support/fault-proxy.js';
import { parseReply, problemOf, requestOf } from '../support/http.js';
import { SWITCHING } from '../support/impostors.js';
import { watchDescriptors } from '../support/leaks.js';
import { type TestNode, testChain, testNode } from '../support/nodes.js';
import { type Ending, exchange, rawConnect, rawServer } from '../support/raw.js';
import { clientHello, dripFor } from '../support/slow-clients.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { runSecure, secureChain, testIdentity } from '../support/tunnels.js';

// Everything that waits has a limit, at each stage of a tunnel.

const LIMIT = { timeout: 60_000 };
const UPGRADE = ['Connection: Upgrade', 'Upgrade: viaduct'];
const SHORT_MS = 600;
const LONG_MS = 30_000;
/** Often enough to be no silence. */
const DRIP_MS = 50;

/** A hop that answers whatever comes with a text, and then is silent. */
async function silentAfter(t: TestContext, text = ''): Promise<HostHop> {
  const { hop } = await rawServer(t, (socket) => socket.once('data', () => socket.write(text)).resume());
  return hop;
}

test('a next hop that does not answer the upgrade is named in time', LIMIT, async (t) => {
  const times = { headPerHopMs: 200 };
  const { route } = await testChain(t, 2, { timeoutMs: SHORT_MS }, times);
  // Also one that begins to answer, and never ends.
  for (const text of [
    '',
    'HTTP/1.1 101 Switching Protocols\r\nViaduct: 1\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
  ]) {
    const hop = await silentAfter(t, text);
    const { bytes } = await exchange(t, route[0] as HostHop, requestOf([...route, hop], '/', UPGRADE));
    const reply = parseReply(bytes.subarray(bytes.lastIndexOf('HTTP/1.1 ')));
    assert.equal(reply.status, 504);
    const { code, detail } = problemOf(reply);
    assert.deepEqual([code, detail], ['TIMEOUT', `hop 3 (${formatHop(hop)}) sent no reply within 0.8 s`]);
  }
});

/** What came of a failed command over a route. */
async function failedGet(t: TestContext, route: readonly HostHop[]) {
  const folder = tempFolder(t);
  const args = ['-o', join(folder, 'file'), '--timeout', '0.5', '--retry', '0'];
  const run = await runSecure('get', { route, path: '/file' }, ['--pin', testIdentity().pin], args);
  assert.deepEqual(readdirSync(folder), []);
  return [run.code, run.stderr.replace(/ \(a later hop [^)]*\)/, '').replace(/; --retry-connect .*/, '')];
}

test('a client waits for a first hop no longer than for any reply', LIMIT, async (t) => {
  const [mute, switching] = [await silentAfter(t), await silentAfter(t, SWITCHING)];
  const last = { host: '127.0.0.1', port: 9 };
  const [asked, switched, alone] = await Promise.all([
    failedGet(t, [mute, last]),
    failedGet(t, [switching, last]),
    failedGet(t, [mute]),
  ]);
  assert.deepEqual(asked, [28, `viaduct: hop 1 (${formatHop(mute)}) sent no reply within 10.5 s\n`]);
  const late = 'did not end the TLS handshake within';
  assert.deepEqual(switched, [28, `viaduct: hop 2 (${formatHop(last)}) ${late} 10.5 s\n`]);
  assert.deepEqual(alone, [28, `viaduct: hop 1 (${formatHop(mute)}) ${late} 5.5 s\n`]);
});

/** The code of the first error that a node reports on a connection. */
async function errorOf(node: TestNode): Promise<ErrorCode> {
  const event: Extract<NodeEvent, { type: 'failed' }> = await node.event('failed');
  return event.error.code;
}

/** What a client does at the end of a tunnel, or on a connection of its own, and how the origin ends it. */
const SLOW: Readonly<
  Record<string, { code: ErrorCode; act: (socket: Socket, hello: Buffer) => Promise<void> }>
> = {
  silence: { code: 'MESSAGE_TIMEOUT', act: async () => {} },
  'a ClientHello, byte by byte': {
    code: 'TLS_FAILED',
    act: async (socket, hello) => dripFor(socket, hello, DRIP_MS),
  },
  'a ClientHello that never ends': {
    code: 'TLS_FAILED',
    act: async (socket) => dripFor(socket, Buffer.from('160301400001003ffc030300', 'hex'), DRIP_MS),
  },
  'a ClientHello and no more': {
    code: 'TLS_FAILED',
    act: async (socket, hello) => void socket.write(hello),
  },
  'TLS and no request': {
    code: 'MESSAGE_TIMEOUT',
    act: async (socket) => void (await inTls(socket)),
  },
  'half a request in TLS': {
    code: 'MESSAGE_TIMEOUT',
    act: async (socket) => dripFor(await inTls(socket), Buffer.from('GET / HTTP/1.1\r\nHost: xx'), DRIP_MS),
  },
};

async function inTls(socket: Socket): Promise<Socket> {
  const secure = connect({ socket, rejectUnauthorized: false });
  secure.on('error', () => {});
  await once(secure, 'secureConnect');
  return secure;
}

for (const [what, { code, act }] of Object.entries(SLOW)) {
  test(`an origin does not wait for ever for: ${what}`, LIMIT, async (t) => {
    const origin = await testNode(
      t,
      { timeoutMs: SHORT_MS, identity: testIdentity() },
      { lingerMs: SHORT_MS },
    );
    const relay = await testNode(t, { timeoutMs: LONG_MS });
    const hello = await clientHello(t);
    const nothingOpen = watchDescriptors();
    const paths = [[], [origin.hop], [relay.hop, origin.hop]] as const;
    const endings = paths.map(async (route): Promise<Ending['how']> => {
      const socket = await rawConnect(t, route[0] ?? origin.hop);
      if (route.length > 0) {
        socket.write(requestOf(route, '/', UPGRADE));
        await once(socket, 'data');
      }
      // In TLS an answer may be complete, so that FIN or RST end the connection.
      const over = new Promise<Ending['how']>((resolve) => {
        socket.once('close', () => resolve('reset'));
        socket.once('end', () => resolve('end'));
      });
      await act(socket, hello);
      if (!socket.isPaused()) socket.resume();
      const how = await over;
      socket.destroy();
      return how;
    });
    await Promise.all(endings);
    assert.equal(await errorOf(origin), code);
    await nothingOpen();
  });
}

test('a connection at the end of a tunnel gives way like a new one', LIMIT, async (t) => {
  const origin = await testNode(t, { maxConnections: 8, timeoutMs: LONG_MS });
  const sockets: Socket[] = [];
  for (let count = 0; count < 8; count += 1) {
    const socket = await rawConnect(t, origin.hop);
    socket.write(requestOf([origin.hop], '/', UPGRADE));
    await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    sockets.push(socket);
  }
  const { bytes } = await exchange(t, origin.hop, requestOf([origin.hop], '/'));
  assert.equal(parseReply(bytes).status, 200);
});

test('a tunnel that falls silent in the body is a timeout of the client', LIMIT, async (t) => {
  const chain = await secureChain(t, 2, { timeoutMs: LONG_MS });
  randomFile(chain.root, 'file', 400_000);
  const [first, ...others] = chain.route;
  const proxy = await faultProxy(t, first as HostHop, { kind: 'stall', at: 200_000 });
  const folder = tempFolder(t);
  const args = ['-o', join(folder, 'file'), '--timeout', '0.6', '--retry', '0'];
  const location = { route: [proxy.hop, ...others], path: '/file' };
  const run = await runSecure('get', location, ['--pin', chain.identity.pin], args);
  assert.equal(run.code, 28, run.stderr);
  assert.match(
    run.stderr,
    /^viaduct: the chain timed out after \d+ of 400000 bytes, but all hops answer now/,
  );
  assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.json']);
});
