import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  type ByteRange,
  type ByteRanges,
  addRange,
  clipRanges,
  contiguousBytes,
  formatRanges,
  isComplete,
  isContiguous,
  parseRanges,
  totalBytes,
} from '#src/files/ranges.js';
import { PLAIN } from '../../support/arbitraries.js';

const SIZE = 40;
const position = fc.integer({ min: 0, max: SIZE });
/** Some are empty, and some end before they start. */
const added: fc.Arbitrary<ByteRange[]> = fc.array(fc.record({ start: position, end: position }, PLAIN), {
  maxLength: 12,
});

function rangesOf(list: readonly ByteRange[]): ByteRanges {
  let ranges: ByteRanges = [];
  for (const range of list) ranges = addRange(ranges, range);
  return ranges;
}

/** The same set as a flag for each byte: the model to compare with. */
function bytesOf(list: readonly ByteRange[], size = SIZE): boolean[] {
  return Array.from({ length: size }, (_, at) => list.some(({ start, end }) => start <= at && at < end));
}

describe('byte ranges', () => {
  test('contain exactly the bytes that were added, in ascending order and with gaps between them', () => {
    fc.assert(
      fc.property(added, (list) => {
        const ranges = rangesOf(list);
        assert.deepEqual(bytesOf(ranges), bytesOf(list));
        for (const [index, { start, end }] of ranges.entries()) {
          assert.ok(start < end);
          assert.ok(start > (ranges[index - 1]?.end ?? -1));
        }
      }),
    );
  });

  test('do not depend on the order of additions', () => {
    fc.assert(fc.property(added, (list) => assert.deepEqual(rangesOf(list), rangesOf(list.toReversed()))));
  });

  test('report total, contiguous beginning, gaps and completeness', () => {
    fc.assert(
      fc.property(added, position, (list, size) => {
        const ranges = rangesOf(list);
        const bytes = bytesOf(list);
        const firstMissing = bytes.indexOf(false);
        const contiguous = firstMissing === -1 ? SIZE : firstMissing;
        const total = bytes.filter(Boolean).length;
        assert.equal(totalBytes(ranges), total);
        assert.equal(contiguousBytes(ranges), contiguous);
        assert.equal(isContiguous(ranges), total === contiguous);
        assert.equal(isComplete(ranges, size), total === size && contiguous === size);
      }),
    );
  });

  test('are clipped to a size', () => {
    fc.assert(
      fc.property(added, position, (list, size) => {
        const clipped = clipRanges(rangesOf(list), size);
        assert.deepEqual(
          bytesOf(clipped),
          bytesOf(list).map((isSet, at) => isSet && at < size),
        );
        assert.deepEqual(clipped, rangesOf(clipped));
      }),
    );
  });
});

describe('the JSON form of byte ranges', () => {
  test('is parsed to the same ranges', () => {
    fc.assert(
      fc.property(added, (list) => {
        const ranges = rangesOf(list);
        assert.deepEqual(parseRanges(JSON.parse(JSON.stringify(formatRanges(ranges)))), ranges);
      }),
    );
  });

  test('is the only one that is parsed', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.array(fc.array(fc.integer({ min: -2, max: 9 })))), (value) => {
        const ranges = parseRanges(value);
        if (ranges === undefined) return;
        assert.deepEqual(formatRanges(ranges), value);
        assert.deepEqual(rangesOf(ranges), ranges);
      }),
    );
  });

  for (const [what, value] of [
    ['an object', {}],
    ['a string', '0-5'],
    ['null', null],
    ['a number for a pair', [5]],
    ['one number', [[5]]],
    ['three numbers', [[0, 5, 9]]],
    ['an empty range', [[5, 5]]],
    ['a range that ends before it starts', [[5, 4]]],
    ['a negative position', [[-1, 4]]],
    ['a fraction', [[0, 4.5]]],
    ['an unsafe integer', [[0, 2 ** 53]]],
    ['text', [['0', '5']]],
    [
      'ranges that touch',
      [
        [0, 5],
        [5, 9],
      ],
    ],
    [
      'ranges that overlap',
      [
        [0, 5],
        [4, 9],
      ],
    ],
    [
      'ranges in descending order',
      [
        [6, 9],
        [0, 5],
      ],
    ],
  ] as const) {
    test(`is not ${what}`, () => assert.equal(parseRanges(value), undefined));
  }
});
