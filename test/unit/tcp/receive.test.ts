import assert from 'node:assert/strict';
import { test } from 'node:test';
import { receive } from '#src/tcp/receive.js';
import { acceptedPair, closed } from '../../support/streams.js';

test('what came before the connection closed is taken, and only then is it an error', async (t) => {
  const { stream, peer, socket } = await acceptedPair(t);
  const first = new Promise<void>((resolve) => {
    const reading = stream.attach({
      take: () => {
        reading.detach(); // What comes next is kept for another reader.
        resolve();
        return true;
      },
      end: () => {},
    });
    reading.resume();
  });
  peer.write('head');
  await first;
  peer.write('body');
  while (stream.received < 8) await new Promise(setImmediate);
  socket.destroy();
  await closed(stream);
  const chunks: string[] = [];
  const received = receive(stream, {
    take: async (chunk) => {
      chunks.push(chunk.toString());
      return false;
    },
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    late: () => new Error('late'),
    gone: () => new Error('gone'),
    ended: () => undefined,
    end: () => {},
  });
  await assert.rejects(received, /gone/);
  assert.deepEqual(chunks, ['body']);
});
