import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { get } from 'viaduct';
import { fileOrigin, honestReply, replyOf } from '../../../support/file-origin.js';
import { tempFolder } from '../../../support/temp.js';
import { WIRES } from '../../../support/wires.js';

const CONTENT = Buffer.from('content');

for (const wire of WIRES)
  describe(wire.name, () => {
    test('silence is reported, and a hop that answers a probe meanwhile; a download without silence probes nothing', async (t) => {
      let paused: Socket | undefined;
      const { location, asked } = await fileOrigin(
        t,
        (socket, request) => {
          const reply = honestReply(CONTENT, request);
          if (request.path !== '/file') return void socket.end(replyOf(200, {}, '{}'));
          if (asked.length > 1) return void socket.end(reply);
          socket.write(reply.subarray(0, -1));
          paused = socket;
        },
        wire,
      );
      const answered: number[] = [];
      const folder = tempFolder(t);
      await get(location, join(folder, 'a'), {
        ...wire.options,
        onEvent: (event) => {
          if (event.type !== 'silence') return;
          answered.push(event.answeredHop);
          if (event.answeredHop === 1) paused?.end(CONTENT.subarray(-1));
        },
      });
      assert.deepEqual(answered, [0, 1]);
      const probes = asked.filter(({ path }) => path !== '/file').length;
      assert.equal(probes, 1);
      await get(location, join(folder, 'b'), wire.options);
      assert.equal(asked.filter(({ path }) => path !== '/file').length, probes);
    });
  });
