import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Sidecar, readSidecar, writeSidecar } from '#src/files/sidecar.js';
import { tempFolder } from '../../support/temp.js';

const SOURCE = 'http://h:1/file';

describe('a sidecar', () => {
  test('is read as it was written, and leaves no temporary file', async (t) => {
    const folder = tempFolder(t);
    const path = join(folder, 'file.part.json');
    for (const ranges of [
      undefined,
      [],
      [{ start: 0, end: 5 }],
      [
        { start: 0, end: 5 },
        { start: 7, end: 9 },
      ],
    ]) {
      const sidecar: Sidecar = { source: SOURCE, etag: '"v1"', size: 9, ranges };
      await writeSidecar(path, sidecar);
      assert.deepEqual(await readSidecar(path, 'file'), sidecar);
      assert.deepEqual(readdirSync(folder), ['file.part.json']);
    }
  });

  test('has the form of version 0.1 if there are no ranges', async (t) => {
    const path = join(tempFolder(t), 'file.part.json');
    const text = '{"source":"http://h:1/file","etag":"\\"v1\\"","size":9}\n';
    await writeSidecar(path, { source: SOURCE, etag: '"v1"', size: 9, ranges: undefined });
    assert.equal(readFileSync(path, 'utf8'), text);
    assert.deepEqual(await readSidecar(path, 'file'), {
      source: SOURCE,
      etag: '"v1"',
      size: 9,
      ranges: undefined,
    });
  });

  test('has no ETag if that is not a strong one', async (t) => {
    const path = join(tempFolder(t), 'file.part.json');
    for (const [etag, read] of [
      ['"v1"', '"v1"'],
      ['W/"v1"', undefined],
      ['"v1"\r\nX: y', undefined],
      [5, undefined],
    ] as const) {
      writeFileSync(path, JSON.stringify({ source: SOURCE, etag, size: 1 }));
      assert.deepEqual(await readSidecar(path, 'file'), {
        source: SOURCE,
        etag: read,
        size: 1,
        ranges: undefined,
      });
    }
  });

  test('may have members that are not known', async (t) => {
    const path = join(tempFolder(t), 'file.part.json');
    writeFileSync(path, JSON.stringify({ source: SOURCE, etag: '"v1"', size: 1, later: true }));
    assert.deepEqual(await readSidecar(path, 'file'), {
      source: SOURCE,
      etag: '"v1"',
      size: 1,
      ranges: undefined,
    });
  });

  test('can be missing', async (t) => {
    assert.equal(await readSidecar(join(tempFolder(t), 'file.part.json'), 'file'), 'missing');
  });
});

describe('a file that viaduct did not write', () => {
  const good = { source: SOURCE, etag: '"v1"', size: 9 };
  for (const [what, text] of [
    ['empty', ''],
    ['text', 'my notes'],
    ['cut short', JSON.stringify(good).slice(0, -1)],
    ['JSON of another form', '{"name":"mine"}'],
    ['an array', '[1]'],
    ['without a source', JSON.stringify({ ...good, source: undefined })],
    ['without a size', JSON.stringify({ ...good, size: undefined })],
    ['of a negative size', JSON.stringify({ ...good, size: -1 })],
    ['of a size that is text', JSON.stringify({ ...good, size: '9' })],
    ['with ranges of another form', JSON.stringify({ ...good, ranges: '0-5' })],
    ['with ranges that are null', JSON.stringify({ ...good, ranges: null })],
    [
      'with ranges that overlap',
      JSON.stringify({
        ...good,
        ranges: [
          [0, 5],
          [3, 9],
        ],
      }),
    ],
    ['with a range beyond the size', JSON.stringify({ ...good, ranges: [[0, 10]] })],
  ] as const) {
    test(`is recognized: ${what}`, async (t) => {
      const path = join(tempFolder(t), 'file.part.json');
      writeFileSync(path, text);
      assert.equal(await readSidecar(path, 'file'), 'foreign');
    });
  }
});
