import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { ChunkDecoder } from '#src/wire/http/chunked.js';
import { codeOf } from '../../../support/failures.js';

/** The content of pieces of a body, and whether it has ended. */
function decode(...pieces: readonly (string | Buffer)[]): {
  readonly content: string;
  readonly done: boolean;
} {
  const decoder = new ChunkDecoder();
  const parts = pieces.flatMap((piece) => Array.from(decoder.decode(Buffer.from(piece))));
  return { content: Buffer.concat(parts).toString('latin1'), done: decoder.done };
}

describe('the chunked coding', () => {
  for (const [what, body, content] of [
    ['chunks', '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n', 'hello world'],
    ['nothing', '0\r\n\r\n', ''],
    [
      'sizes in either case, with zeros',
      '00A\r\n0123456789\r\nb\r\n0123456789x\r\n000\r\n\r\n',
      '01234567890123456789x',
    ],
    ['extensions', '1;a=b;c="d"\r\nx\r\n0 ; e\r\n\r\n', 'x'],
    ['trailers', '1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n', 'x'],
  ] as const) {
    test(`of ${what}`, () => {
      assert.deepEqual(decode(body), { content, done: true });
      assert.deepEqual(decode(...body.split('')), { content, done: true });
      assert.equal(decode(body.slice(0, -1)).done, false);
    });
  }

  for (const [what, body] of [
    ['no size', '\r\nx'],
    ['a sign', '+1\r\nx\r\n'],
    ['a prefix', '0x1\r\nx\r\n'],
    ['a space before', ' 1\r\nx\r\n'],
    ['a bare LF', '1\nx\n'],
    ['a bare LF after the content', '1\r\nx\n'],
    ['more content than its size', '1\r\nxy\r\n'],
    ['a size without end', '1'.repeat(20)],
    ['a size past 2^48', '1000000000000\r\n'],
    ['an extension without end', `1;${'x'.repeat(2000)}`],
    ['trailers without end', `0\r\n${'a: b\r\n'.repeat(5000)}`],
  ] as const) {
    test(`with ${what} is refused`, () =>
      assert.equal(
        codeOf(() => decode(body, '\r\n')),
        'BAD_REPLY',
      ));
  }

  test('stops at its end, and tells what came behind it', () => {
    const decoder = new ChunkDecoder();
    const parts = Array.from(decoder.decode(Buffer.from('1\r\nx\r\n0\r\n\r\nHTTP')));
    assert.deepEqual([Buffer.concat(parts).toString(), decoder.done, decoder.excess], ['x', true, 4]);
    assert.deepEqual(Array.from(decoder.decode(Buffer.from('more'))), []);
    assert.equal(decoder.excess, 4);
  });

  test('is the same however it is cut', () => {
    const contents = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(contents, fc.infiniteStream(fc.integer({ min: 1, max: 30 })), (chunks, sizes) => {
        const coded = chunks.flatMap((chunk) => [
          Buffer.from(`${chunk.length.toString(16)}\r\n`),
          chunk,
          Buffer.from('\r\n'),
        ]);
        let body = Buffer.concat([...coded, Buffer.from('0\r\n\r\n')]);
        const pieces: Buffer[] = [];
        for (const size of sizes) {
          if (body.length === 0) break;
          pieces.push(body.subarray(0, size));
          body = body.subarray(size);
        }
        const content = Buffer.concat(chunks).toString('latin1');
        assert.deepEqual(decode(...pieces), { content, done: true });
      }),
    );
  });
});
