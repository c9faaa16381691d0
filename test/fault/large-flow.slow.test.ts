import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { BUFFER_MAX } from '#src/tcp/read-buffer.js';
import { OFFLOAD_BYTES } from '#src/defaults.js';
import { withoutCalls } from '../support/calls.js';
import { messageOf } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { rawConnect, rawServer, readToEnd } from '../support/raw.js';

for (const pump of ['portable', 'splice'] as const) {
  const skip = pump === 'splice' && withoutCalls;
  describe(`${pump} pump: a relay of a large reply`, () => {
    test('tells that the client left', { skip }, async (t) => {
      const relay = await testNode(t, { pump });
      const { hop } = await rawServer(t, (socket) => void socket.resume().write(Buffer.alloc(64 * 2 ** 20)));
      const nothingOpen = watchDescriptors();
      for (let round = 0; round < 5; round += 1) {
        const client = await rawConnect(t, relay.hop);
        client.write(messageOf('x', [hop]));
        let bytes = 0;
        while (bytes < 16 * OFFLOAD_BYTES) bytes += ((await once(client, 'data')) as [Buffer])[0].length;
        client.resetAndDestroy();
        const { error, bytes: told } = await relay.event('failed', round);
        assert.equal(error.code, 'CLIENT_GONE');
        assert.ok(told >= bytes - BUFFER_MAX, `${told} bytes are said to have left, and ${bytes} came`);
      }
      await nothingOpen();
    });

    test('tells that the next hop broke off', { skip }, async (t) => {
      const relay = await testNode(t, { pump });
      const { hop, sockets } = await rawServer(t, (socket) => {
        socket.resume();
        const more = (): void => void socket.write(Buffer.alloc(2 ** 20), (error) => error ?? more());
        more();
      });
      const nothingOpen = watchDescriptors();
      for (let round = 0; round < 5; round += 1) {
        const client = await rawConnect(t, relay.hop);
        client.write(messageOf('x', [hop]));
        let bytes = 0;
        while (bytes < 16 * OFFLOAD_BYTES) bytes += ((await once(client, 'data')) as [Buffer])[0].length;
        const ending = readToEnd(client);
        for (const socket of sockets) socket.resetAndDestroy();
        assert.equal((await ending).how, 'reset');
        const { error } = await relay.event('failed', round);
        assert.equal(error.code, 'CUT_SHORT');
        assert.match(error.message, /reset the connection after \d+ bytes/);
      }
      await nothingOpen();
    });
  });
}
