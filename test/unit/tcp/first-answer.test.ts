import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type TestContext, describe, test } from 'node:test';
import type { ByteStream } from '#src/tcp/byte-stream.js';
import { type Answer, firstAnswer } from '#src/tcp/first-answer.js';
import { closed, dialledPair } from '../../support/streams.js';

const LIMIT_MS = 600;

/** A race in which the first stream is silent, and which says when the other address is dialled. */
async function prepare(t: TestContext) {
  const first = await dialledPair(t);
  const dial = new EventEmitter();
  const asked = once(dial, 'asked');
  const dialling = new Promise<ByteStream>((resolve, reject) => {
    dial.once('dialled', resolve);
    dial.once('failed', reject);
  });
  const answer: Answer | Promise<Answer> = firstAnswer(first.stream, {
    host: 'two.example',
    limitMs: LIMIT_MS,
    another: () => {
      dial.emit('asked');
      return dialling;
    },
    signal: new AbortController().signal,
  });
  return { first, asked, dial, answer };
}

for (const [how, end] of [
  ['is reset', 'resetAndDestroy'],
  ['is closed', 'end'],
] as const) {
  describe(`the first stream ${how} while the other address is dialled`, () => {
    test('then the other one may still answer', async (t) => {
      const { first, asked, dial, answer } = await prepare(t);
      await asked;
      first.peer[end]();
      await new Promise((resolve) => setTimeout(resolve, 50));
      const second = await dialledPair(t);
      dial.emit('dialled', second.stream);
      second.peer.write('answer');
      const { stream, begin } = await answer;
      assert.equal(stream, second.stream);
      assert.equal(begin.toString(), 'answer');
      await closed(first.stream);
    });

    test('and is the outcome if that fails', async (t) => {
      const { first, asked, dial, answer } = await prepare(t);
      await asked;
      first.peer[end]();
      await new Promise((resolve) => setTimeout(resolve, 50));
      dial.emit('failed', new Error('refused'));
      const { stream, leftMs } = await answer;
      assert.equal(stream, first.stream);
      assert.ok(leftMs > 1, 'it waited for the end of the limit');
    });

    test('and the silence of the other one is the outcome', async (t) => {
      const { first, asked, dial, answer } = await prepare(t);
      await asked;
      const second = await dialledPair(t);
      dial.emit('dialled', second.stream);
      first.peer[end]();
      const { stream, begin } = await answer;
      assert.equal(stream, second.stream);
      assert.deepEqual([begin.length, stream.closed], [0, false]);
    });
  });
}
