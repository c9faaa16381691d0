import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  zipDescriptor,
  zipDescriptorLength,
  zipEnd,
  zipHeader,
  zipHeaderLength,
  zipRecord,
  zipRecordLength,
} from '#src/wire/zip.js';

const GIB_4 = 4 * 1024 ** 3;

test('the length of everything is known without it, also around 4 GiB', () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 2 * GIB_4 }), fc.integer({ min: GIB_4 - 2, max: GIB_4 }));
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(name, size, size, (of, bytes, offset) => {
      const entry = { name: of, size: bytes, modified: 1e9, isExecutable: false };
      assert.equal(zipHeaderLength(of, bytes), zipHeader(entry).length);
      assert.equal(zipDescriptorLength(bytes), zipDescriptor(bytes, 1).length);
      assert.equal(zipRecordLength(of, bytes, offset), zipRecord(entry, 1, offset).length);
    }),
  );
});

test('the end has its long form from 65,535 entries or 4 GiB on', () => {
  const small = { offset: 1, length: 1, entries: 1 };
  for (const [of, isLong] of [
    [small, false],
    [{ ...small, entries: 65_534 }, false],
    [{ ...small, entries: 65_535 }, true],
    [{ ...small, offset: GIB_4 - 2 }, false],
    [{ ...small, offset: GIB_4 - 1 }, true],
    [{ ...small, length: GIB_4 - 1 }, true],
  ] as const)
    assert.equal(zipEnd(of, '').length, isLong ? 98 : 22);
});

test('a comment is cut where its length has no room', () => {
  const end = zipEnd({ offset: 0, length: 0, entries: 0 }, 'ü'.repeat(60_000));
  assert.equal(end.readUInt16LE(20), end.length - 22);
});

/** Year, month and day of a header. */
function dateOf(iso: string): readonly number[] {
  const modified = Date.parse(iso) / 1000;
  const date = zipHeader({ name: 'x', size: 0, modified, isExecutable: false }).readUInt16LE(12);
  return [(date >> 9) + 1980, (date >> 5) & 15, date & 31];
}

test('times from 1980 to 2038 have a date; earlier ones have the first', () => {
  assert.deepEqual(dateOf('2001-02-03T04:05:06Z'), [2001, 2, 3]);
  assert.deepEqual(dateOf('1969-02-03T04:05:06Z'), [1980, 1, 1]);
  assert.deepEqual(dateOf('2200-02-03T04:05:06Z'), [2038, 1, 19], 'the time beside it ends in 2038');
});
