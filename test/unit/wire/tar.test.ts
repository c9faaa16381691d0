import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { nameOfBytes } from '#src/route/name.js';
import { type TarEntry, TAR_END, tarHeader, tarHeaderLength, tarPadding, tarStart } from '#src/wire/tar.js';
import { CONTROL_NAMES, ODD_NAMES } from '../../support/odd-names.js';
import { readTar } from '../../support/tar.js';

const BLOCK = 512;
const GIB_8 = 8 * 1024 ** 3;

function entry(name: string, more: Partial<TarEntry> = {}): TarEntry {
  return { name, size: 0, modified: 1_000_000_000, isExecutable: false, ...more };
}

/** The one entry of an archive with nothing else in it. */
function readBack(of: TarEntry, content = Buffer.alloc(of.size)) {
  const bytes = [tarHeader(of), content, Buffer.alloc(tarPadding(of.size)), TAR_END];
  const { entries } = readTar(Buffer.concat(bytes));
  assert.equal(entries.length, 1);
  return entries[0] ?? assert.fail();
}

test('a file and a folder', () => {
  const file = readBack(entry('dir/file', { size: 3 }), Buffer.from('abc'));
  assert.deepEqual(
    [file.name, file.type, file.mode, file.modified, file.content.toString()],
    ['dir/file', 'file', 0o644, 1_000_000_000, 'abc'],
  );
  assert.equal(readBack(entry('run', { isExecutable: true })).mode, 0o755);
  const folder = readBack(entry('dir/'));
  assert.deepEqual([folder.name, folder.type, folder.mode], ['dir/', 'folder', 0o755]);
});

const bad = nameOfBytes(Buffer.from('bad\xff\xfe', 'latin1'));

describe('names are kept, in as few blocks as they fit into', () => {
  for (const [name, blocks] of [
    ['x'.repeat(100), 1],
    ['x'.repeat(101), 3],
    [`${'d'.repeat(155)}/${'x'.repeat(100)}`, 1],
    [`${'d'.repeat(156)}/x`, 3],
    [`${'d'.repeat(99)}/`, 1],
    [`${'d'.repeat(101)}/`, 3],
    [`${'a'.repeat(60)}/${'b'.repeat(60)}/`, 1],
    [`a/${'x'.repeat(101)}`, 3],
    ['ü', 3],
    [bad, 1],
    [bad.repeat(30), 3],
    ['y'.repeat(4000), 10],
  ] as const) {
    test(JSON.stringify(name.slice(0, 20)) + name.length, () => {
      assert.equal(readBack(entry(name)).name, name);
      assert.equal(tarHeader(entry(name)).length, blocks * BLOCK);
    });
  }

  test('odd ones', () => {
    for (const name of [...ODD_NAMES, ...CONTROL_NAMES]) assert.equal(readBack(entry(name)).name, name);
  });
});

test('sizes from 8 GiB on, and times that have no room', () => {
  for (const [size, blocks] of [
    [GIB_8 - 1, 1],
    [GIB_8, 3],
  ] as const)
    assert.equal(tarHeader(entry('big', { size })).length, blocks * BLOCK);
  const extended = tarHeader(entry('big', { size: GIB_8 }));
  assert.match(extended.toString('latin1', BLOCK, 2 * BLOCK), /^19 size=8589934592\n\0/);
  for (const [modified, kept] of [
    [-5, 0],
    [GIB_8, GIB_8 - 1],
  ] as const)
    assert.equal(readBack(entry('old', { modified })).modified, kept);
});

test('a comment stands in front of all entries; the length in a record counts itself', () => {
  for (let length = 1; length < 200; length += 1) {
    const comment = 'ö'.repeat(length);
    assert.equal(readTar(Buffer.concat([tarStart(comment), TAR_END])).comment, comment);
  }
  assert.equal(tarStart('').length, 0);
});

test('the length of a header is known without it', () => {
  const names = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
    fc.constant(bad.repeat(40)),
  );
  fc.assert(
    fc.property(names, fc.integer({ min: 0, max: 2 * GIB_8 }), (name, size) => {
      const of = entry(name.replaceAll('\0', '_'), { size });
      assert.equal(tarHeaderLength(of.name, size), tarHeader(of).length);
      assert.equal((size + tarPadding(size)) % BLOCK, 0);
      assert.ok(tarPadding(size) < BLOCK);
    }),
  );
});
