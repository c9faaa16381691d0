import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { SLOW_READER_BYTES, Throttle } from '#src/client/get/throttle.js';

const RATE = 64_000;

test('bytes pass in order, in small steps, and not faster than the rate', async () => {
  const bytes = randomBytes(RATE / 2);
  const parts: Buffer[] = [];
  const began = performance.now();
  const sink = new Throttle(RATE).slowed(async (part) => void parts.push(part), new AbortController().signal);
  await sink(bytes);
  assert.ok(performance.now() - began >= 490);
  assert.ok(parts.every(({ length }) => length > 0 && length <= RATE / 8));
  assert.ok(Buffer.concat(parts).equals(bytes));
});

test('a part is passed on before the pause, and an abort ends the pause', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  let taken = 0;
  const sink = new Throttle(1).slowed(async (part) => {
    taken += part.length;
    setImmediate(() => abort.abort(reason));
  }, abort.signal);
  await assert.rejects(sink(Buffer.alloc(1000)), reason);
  assert.equal(taken, 1);
});

test('the receive buffer is limited, and small for a low rate', () => {
  assert.equal(new Throttle(1e9).receiveBuffer, SLOW_READER_BYTES);
  assert.ok(new Throttle(1000).receiveBuffer < 10_000);
});
