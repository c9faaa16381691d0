import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SHARED_BUFFER } from '#src/tcp/read-buffer.js';
import { Unread } from '#src/tcp/unread.js';

const KIB = 1024;
const RECORD = 16 * KIB;

test('records that are read together become one chunk, without a copy', () => {
  const buffer = Buffer.alloc(64 * KIB);
  const unread = new Unread();
  unread.held = buffer.subarray(0, RECORD);
  for (let at = RECORD; at < buffer.length; at += RECORD) {
    const part = unread.freePart(buffer);
    assert.equal(part?.byteOffset, at);
    unread.push(part.subarray(0, RECORD));
  }
  assert.equal(unread.freePart(buffer), undefined, 'the chunk that is held is not overwritten');
  unread.held = undefined;
  const chunk = unread.take();
  assert.deepEqual([chunk.buffer, chunk.byteOffset, chunk.length], [buffer.buffer, RECORD, 48 * KIB]);
  unread.held = chunk;
  assert.deepEqual(unread.freePart(buffer)?.length, RECORD, 'what is free again is used again');
});

test('a chunk in the shared buffer is copied', () => {
  const unread = new Unread();
  unread.push(SHARED_BUFFER.fill(1).subarray(0, 10));
  SHARED_BUFFER.fill(2);
  assert.deepEqual(unread.take(), Buffer.alloc(10, 1));
});

/** Whatever the sizes of records, and whenever the reader resumes, it gets the bytes in order. */
test('no byte that waits is overwritten', () => {
  const step = fc.record({ bytes: fc.integer({ min: 1, max: RECORD }), resumes: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 * KIB }), fc.array(step, { maxLength: 60 }), (size, steps) => {
      const buffer = Buffer.alloc(size);
      const unread = new Unread();
      let [sent, got] = [0, 0];
      const check = (chunk: Buffer): void => {
        for (const byte of chunk) assert.equal(byte, got++ % 251);
      };
      for (const { bytes, resumes } of steps) {
        const into = unread.freePart(buffer) ?? SHARED_BUFFER;
        const chunk = into.subarray(0, Math.min(bytes, into.length));
        for (let at = 0; at < chunk.length; at += 1) chunk[at] = sent++ % 251;
        if (unread.held === undefined && unread.isEmpty)
          unread.held = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
        else unread.push(chunk);
        if (unread.held?.buffer === SHARED_BUFFER.buffer) unread.held = Buffer.from(unread.held);
        if (!resumes || unread.held === undefined) continue;
        check(unread.held);
        unread.held = unread.isEmpty ? undefined : unread.take();
      }
      if (unread.held !== undefined) check(unread.held);
      check(unread.take());
      assert.equal(got, sent);
    }),
    { numRuns: 200 },
  );
});
