import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { testNode } from '../support/nodes.js';
import { rawConnect } from '../support/raw.js';
import { clientHello } from '../support/slow-clients.js';

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
