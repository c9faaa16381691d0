import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { get } from 'viaduct';
import { fileOrigin, honestReply, replyOf } from '../../../support/file-origin.js';
import { tempFolder } from '../../../support/temp.js';

const CONTENT = Buffer.from('content');

test('silence is reported, and a hop that answers a probe meanwhile; a download without silence probes nothing', async (t) => {
  let paused: Socket | undefined;
  const { location, asked } = await fileOrigin(t, (socket, request) => {
    const reply = honestReply(CONTENT, request);
    if (request.path !== '/file') return void socket.end(replyOf(200, {}, '{}'));
    if (asked.length > 1) return void socket.end(reply);
    socket.write(reply.subarray(0, -1));
    paused = socket;
  });
  const answered: number[] = [];
  const folder = tempFolder(t);
  await get(location, join(folder, 'a'), {
    onEvent: (event) => {
      if (event.type !== 'silence') return;
      answered.push(event.answeredHop);
      if (event.answeredHop === 1) paused?.end(CONTENT.subarray(-1));
    },
  });
  assert.deepEqual(answered, [0, 1]);
  const probes = asked.filter(({ path }) => path !== '/file').length;
  assert.equal(probes, 1);
  await get(location, join(folder, 'b'));
  assert.equal(asked.filter(({ path }) => path !== '/file').length, probes);
});
