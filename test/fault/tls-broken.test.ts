import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { socketCalls } from '#src/system/socket-calls.js';
import { descriptorOf } from '#src/tcp/handle.js';
import { type TestNode, testNode } from '../support/nodes.js';
import { rawConnect } from '../support/raw.js';
import { clientHello } from '../support/slow-clients.js';
import { sparseFile, tempFolder } from '../support/temp.js';
import { RECORD } from '../support/tunnels.js';

// TLS that ends or breaks in the middle: the connection gives its slot back at once, and the log says what happened.

/** Less than the time limits of the node. */
const LIMIT = { timeout: 15_000 };
const LONG_MS = 60_000;

const LEAVING: Readonly<Record<string, (socket: Socket) => unknown>> = {
  FIN: (socket) => socket.end(),
  RST: (socket) => socket.resetAndDestroy(),
};

for (const [how, leave] of Object.entries(LEAVING)) {
  test(`a client that leaves in the handshake with ${how} is noticed at once`, LIMIT, async (t) => {
    const node = await testNode(t, { timeoutMs: LONG_MS });
    const hello = await clientHello(t);
    const begins = [hello.subarray(0, 1), hello.subarray(0, 9), hello];
    for (const [id, begin] of begins.entries()) {
      const socket = await rawConnect(t, node.hop);
      socket.write(begin);
      if (begin === hello) await once(socket, 'readable');
      else await node.event('accepted', id);
      leave(socket);
      const { error } = await node.event('failed', id);
      assert.equal(error.code, 'CLIENT_GONE');
      await node.event('closed', id);
    }
  });
}

/** A record that nobody with the keys has written. */
const FORGED = Buffer.concat([Buffer.from([RECORD.applicationData, 3, 3, 0, 32]), Buffer.alloc(32, 7)]);

/** A connection in TLS, and the socket under it. */
async function secure(t: TestContext, { hop }: TestNode) {
  const raw = await rawConnect(t, hop);
  const tls = connect({ socket: raw, rejectUnauthorized: false });
  tls.on('error', () => {});
  t.after(() => tls.destroy());
  await once(tls, 'secureConnect');
  return { raw, tls };
}

/** When the forged record comes. */
const MOMENTS: Readonly<Record<string, (tls: Socket, node: TestNode) => Promise<unknown>>> = {
  'before a request': (_, node) => node.event('secured'),
  'in a request': async (tls, node) => {
    await node.event('secured');
    await new Promise((written) => tls.write('GET / HTTP/1.1\r\n', written));
  },
  'in a reply that is not read': async (tls) => {
    tls.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(tls, 'readable');
  },
};

for (const [when, reach] of Object.entries(MOMENTS)) {
  test(`a forged record ${when} ends the connection at once`, LIMIT, async (t) => {
    const root = tempFolder(t);
    sparseFile(root, 'large', 2 ** 30);
    const node = await testNode(t, { root, timeoutMs: LONG_MS });
    const { raw, tls } = await secure(t, node);
    await reach(tls, node);
    raw.write(FORGED);
    const { error } = await node.event('failed', 0);
    assert.deepEqual(
      [error.code, error.message],
      ['TLS_FAILED', 'TLS broke: decryption failed or bad record mac'],
    );
    await node.event('closed', 0);
  });
}

test('a forged record on a kept connection ends it at once, and is no failed request', LIMIT, async (t) => {
  const node = await testNode(t, { root: tempFolder(t) }, { keepAliveMs: LONG_MS });
  const { raw, tls } = await secure(t, node);
  tls.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await node.event('completed', 0);
  raw.write(FORGED);
  await node.event('closed', 0);
  assert.ok(!node.events.some(({ type }) => type === 'failed'));
});

/** The node writes tickets at the end of its handshake: this write fails, and Node calls back no later one. */
test(
  'a client that sends its request and is gone when the handshake ends is noticed at once',
  LIMIT,
  async (t) => {
    const node = await testNode(t, { root: tempFolder(t) });
    const calls = socketCalls();
    for (let id = 0; id < 5; id += 1) {
      const raw = await rawConnect(t, node.hop);
      const tls = connect({ socket: raw, rejectUnauthorized: false }).on('error', () => {});
      t.after(() => tls.destroy());
      // All of it before the node has its turn: it runs in this process.
      tls.once('secureConnect', () => {
        tls.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
        if (!('missing' in calls)) calls.shutdown(descriptorOf(raw) ?? -1);
        raw.resetAndDestroy();
      });
      await node.event('closed', id);
    }
  },
);
