import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { BUFFER_MAX, BUFFER_MIN, SHARED_BUFFER } from '#src/tcp/read-buffer.js';
import { STREAMS, received, takesAll, until } from '../../support/streams.js';

const MIB = 1024 * 1024;

for (const [how, makePair] of STREAMS) {
  describe(`the reader of a stream that was ${how}`, () => {
    test('has one reader at a time: a second one is refused until the first has detached', async (t) => {
      const { stream, peer } = await makePair(t);
      const first = stream.attach(takesAll({ take: () => assert.fail('read after it had detached') }));
      assert.throws(() => stream.attach(takesAll()), /has a reader already/);
      first.detach();
      peer.write('hello');
      const bytes = received(stream, 5);
      // It has no say any more.
      first.pause();
      first.detach();
      first.resume();
      assert.equal((await bytes).toString(), 'hello');
    });

    // A resume that is followed by a pause in the same turn reads all the same (Node).
    test('keeps what arrives between two readers', async (t) => {
      const { stream, peer } = await makePair(t);
      const first = stream.attach(takesAll({ take: () => assert.fail('it has detached') }));
      first.resume();
      first.detach();
      await new Promise<void>((resolve) => peer.end('in between', () => resolve()));
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
      const ended = new Promise<void>((resolve) => {
        const chunks: Buffer[] = [];
        const reading = stream.attach({
          take: (chunk) => chunks.push(Buffer.from(chunk)) > 0,
          end: () => {
            assert.equal(Buffer.concat(chunks).toString(), 'in between');
            resolve();
          },
        });
        reading.resume();
      });
      await ended;
    });

    test('reports the end to each reader once, to one that attaches later too', async (t) => {
      const { stream, peer } = await makePair(t);
      let ends = 0;
      const first = stream.attach(takesAll({ end: () => (ends += 1) }));
      first.resume();
      peer.end();
      await until(() => stream.ended);
      first.resume();
      assert.equal(ends, 1);
      first.detach();
      const second = stream.attach(takesAll({ end: () => (ends += 1) }));
      assert.equal(ends, 1, 'before it has resumed');
      second.resume();
      second.resume();
      assert.equal(ends, 2);
    });

    for (const [pace, more] of [
      ['at once', true],
      ['one after the other', false],
    ] as const) {
      test(`reads into a buffer of the reader, which grows with chunks that are taken ${pace}`, async (t) => {
        const { stream, peer } = await makePair(t);
        const sizes: number[] = [];
        const reading = stream.attach({
          take: (chunk) => {
            assert.notEqual(chunk.buffer, SHARED_BUFFER.buffer);
            sizes.push(chunk.buffer.byteLength);
            if (!more) setImmediate(() => reading.resume());
            return more;
          },
          end: () => {},
          keepsChunks: true,
        });
        peer.end(Buffer.alloc(16 * MIB));
        reading.resume();
        await until(() => stream.ended);
        // First a copy, if Node had been given the shared buffer before the reader attached.
        const own = sizes[0] === BUFFER_MIN ? sizes : sizes.slice(1);
        assert.deepEqual([own[0], own.at(-1)], [BUFFER_MIN, BUFFER_MAX]);
        assert.deepEqual(
          own,
          own.toSorted((a, b) => a - b),
        );
      });
    }

    test('does not overwrite a chunk while a reader that keeps chunks has not had enough of it', async (t) => {
      const { stream, peer } = await makePair(t);
      const bytes = randomBytes(2 * MIB);
      // Another stream reads into the shared buffer meanwhile.
      const other = await makePair(t);
      other.stream.attach(takesAll()).resume();
      let held: Buffer = Buffer.alloc(0);
      const reading = stream.attach({
        take: (chunk) => {
          held = chunk;
          return false;
        },
        end: () => {},
        keepsChunks: true,
      });
      peer.write(bytes);
      for (let at = 0; at < bytes.length; at += held.length) {
        held = Buffer.alloc(0);
        reading.resume();
        await until(() => held.length > 0);
        const before = other.stream.received;
        other.peer.write(randomBytes(1000));
        await until(() => other.stream.received > before);
        assert.ok(held.equals(bytes.subarray(at, at + held.length)), `changed at ${at}`);
      }
    });
  });
}
