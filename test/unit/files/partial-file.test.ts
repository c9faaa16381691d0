import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { HashThread } from '#src/files/hash/thread.js';
import { PartialFile, type PartialFileOptions } from '#src/files/partial-file.js';
import { readSidecar } from '#src/files/sidecar.js';
import { inspectTarget } from '#src/files/target.js';
import { failureOf } from '../../support/failures.js';
import { tempFolder } from '../../support/temp.js';

const BYTES = randomBytes(10_000);
const VERSION = { etag: '"v1"', size: BYTES.length };
const CHUNK = 1000;

function base64(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64');
}

/** Opens the partial file of `file` in a folder, as any program could: the source is a text of its own. */
async function openIn(
  t: TestContext,
  folder: string,
  options: Partial<PartialFileOptions> = {},
): Promise<PartialFile> {
  const hashes = new HashThread();
  t.after(() => hashes.close());
  return PartialFile.open({
    target: await inspectTarget(join(folder, 'file')),
    source: 'upload 7',
    isSameSource: (recorded) => recorded === 'upload 7',
    hashes,
    keepExisting: false,
    hiddenName: false,
    ...options,
  });
}

/** Writes the chunk with this number. */
function writeChunk(file: PartialFile, number: number): Promise<void> {
  const start = number * CHUNK;
  return file.write(BYTES.subarray(start, start + CHUNK), start);
}

/** A copy of the partial file and its sidecar, as a crash at this moment would leave them. */
function crashCopy(t: TestContext, folder: string): string {
  const copy = tempFolder(t);
  for (const name of ['file.part', 'file.part.json'])
    if (existsSync(join(folder, name))) copyFileSync(join(folder, name), join(copy, name));
  return copy;
}

/** The sidecar of version 0.1. */
function writeOldSidecar(folder: string, source = 'upload 7', etag = '"v1"'): void {
  writeFileSync(join(folder, 'file.part.json'), JSON.stringify({ source, etag, size: BYTES.length }));
}

describe('a partial file', () => {
  test('becomes the file, with its digest', async (t) => {
    const folder = tempFolder(t);
    const file = await openIn(t, folder);
    await file.begin(VERSION);
    for (let number = 0; number < 10; number += 1) await writeChunk(file, number);
    assert.ok(file.isComplete);
    assert.equal(await file.digest(), base64(BYTES));
    await file.complete(undefined);
    await file.close();
    assert.deepEqual(readdirSync(folder), ['file']);
    assert.ok(readFileSync(join(folder, 'file')).equals(BYTES));
  });

  test('is written from beginning to end without another write of the sidecar', async (t) => {
    const folder = tempFolder(t);
    const file = await openIn(t, folder);
    await file.begin(VERSION);
    const sidecar = readFileSync(join(folder, 'file.part.json'), 'utf8');
    for (let number = 0; number < 5; number += 1) {
      await writeChunk(file, number);
      assert.equal(readFileSync(join(folder, 'file.part.json'), 'utf8'), sidecar);
    }
    await file.close();
    assert.equal(readFileSync(join(folder, 'file.part.json'), 'utf8'), sidecar);
    const next = await openIn(t, folder);
    assert.deepEqual([next.bytes, next.contiguousBytes, next.version], [5000, 5000, VERSION]);
    await next.close();
  });

  test('is resumed with the sidecar of version 0.1, by its length', async (t) => {
    const folder = tempFolder(t);
    writeFileSync(join(folder, 'file.part'), BYTES.subarray(0, 4321));
    writeOldSidecar(folder);
    const file = await openIn(t, folder);
    assert.deepEqual([file.bytes, file.contiguousBytes, file.obstacle], [4321, 4321, undefined]);
    await file.write(BYTES.subarray(4321), 4321);
    assert.equal(await file.digest(), base64(BYTES));
    await file.close();
  });

  for (const [obstacle, source, etag, length] of [
    ['other-source', 'upload 8', '"v1"', 5000],
    ['no-etag', 'upload 7', 'W/"v1"', 5000],
    ['too-long', 'upload 7', '"v1"', BYTES.length + 1],
  ] as const) {
    test(`is not resumed (${obstacle}), but kept until another version begins`, async (t) => {
      const folder = tempFolder(t);
      writeFileSync(join(folder, 'file.part'), Buffer.alloc(length));
      writeOldSidecar(folder, source, etag);
      const file = await openIn(t, folder);
      assert.deepEqual([file.obstacle, file.bytes, file.version], [obstacle, 0, undefined]);
      await file.close();
      assert.equal(readFileSync(join(folder, 'file.part')).length, length);
      const next = await openIn(t, folder);
      await next.begin(VERSION);
      assert.equal(readFileSync(join(folder, 'file.part')).length, 0);
      await next.close();
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  test('is open in one place at a time', async (t) => {
    const folder = tempFolder(t);
    const file = await openIn(t, folder);
    const { code, message } = await failureOf(openIn(t, folder));
    assert.deepEqual([code, message], ['BUSY', `another process is writing ${join(folder, 'file')}`]);
    await file.close();
    await (await openIn(t, folder)).close();
  });
});

describe('a partial file with gaps', () => {
  test('records its ranges before the first byte behind a gap', async (t) => {
    const folder = tempFolder(t);
    const file = await openIn(t, folder);
    await file.begin(VERSION);
    await writeChunk(file, 0);
    await writeChunk(file, 5);
    assert.deepEqual([file.bytes, file.contiguousBytes], [2000, 1000]);
    const sidecar = await readSidecar(join(folder, 'file.part.json'), 'file');
    assert.deepEqual(sidecar, { source: 'upload 7', ...VERSION, ranges: [{ start: 0, end: 1000 }] });
    await file.close();
    const next = await openIn(t, folder);
    assert.deepEqual([next.bytes, next.contiguousBytes], [2000, 1000]);
    await next.close();
  });

  test('never takes a byte for valid that was not written, after a crash at any moment', async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(
          Array.from({ length: 10 }, (_, number) => number),
          { minLength: 1 },
        ),
        async (order) => {
          const folder = tempFolder(t);
          const file = await openIn(t, folder);
          await file.begin(VERSION);
          for (const number of order) {
            await writeChunk(file, number);
            const crashed = await openIn(t, crashCopy(t, folder));
            assert.ok(crashed.bytes <= file.bytes);
            assert.ok(crashed.contiguousBytes <= file.contiguousBytes);
            const valid = BYTES.subarray(0, crashed.contiguousBytes);
            if (crashed.bytes > 0) assert.equal(await crashed.digest(), base64(valid));
            await crashed.close();
          }
          const { bytes, contiguousBytes } = file;
          await file.close();
          // Without a crash nothing is lost.
          const next = await openIn(t, folder);
          assert.deepEqual([next.bytes, next.contiguousBytes], [bytes, contiguousBytes]);
          assert.equal(await next.digest(), base64(BYTES.subarray(0, contiguousBytes)));
          await next.close();
        },
      ),
      { numRuns: 15 },
    );
  });

  test('has the digest of its contiguous beginning', async (t) => {
    const file = await openIn(t, tempFolder(t));
    await file.begin(VERSION);
    for (const number of [1, 0, 5]) await writeChunk(file, number);
    assert.equal(await file.digest(), base64(BYTES.subarray(0, 2000)));
    await file.close();
  });

  test('is completed from the contiguous beginning on, as a download does', async (t) => {
    const folder = tempFolder(t);
    const file = await openIn(t, folder);
    await file.begin(VERSION);
    for (const number of [0, 3, 4, 9]) await writeChunk(file, number);
    await file.close();
    const next = await openIn(t, folder);
    const start = next.contiguousBytes;
    await next.write(BYTES.subarray(start), start);
    assert.ok(next.isComplete);
    assert.equal(await next.digest(), base64(BYTES));
    await next.complete(undefined);
    await next.close();
    assert.deepEqual(readdirSync(folder), ['file']);
  });

  test('loses the ranges behind its end, if it was cut', async (t) => {
    const folder = tempFolder(t);
    const file = await openIn(t, folder);
    await file.begin(VERSION);
    for (const number of [0, 3, 9]) await writeChunk(file, number);
    await file.close();
    truncateSync(join(folder, 'file.part'), 3500);
    const next = await openIn(t, folder);
    assert.deepEqual([next.bytes, next.contiguousBytes], [1500, 1000]);
    await next.close();
  });

  test('forgets its ranges with a new version', async (t) => {
    const folder = tempFolder(t);
    const file = await openIn(t, folder);
    await file.begin(VERSION);
    await writeChunk(file, 5);
    await file.begin({ ...VERSION, etag: '"v2"' });
    const sidecar = await readSidecar(join(folder, 'file.part.json'), 'file');
    assert.deepEqual(sidecar, { source: 'upload 7', ...VERSION, etag: '"v2"', ranges: undefined });
    assert.deepEqual([file.bytes, file.contiguousBytes], [0, 0]);
    await file.close();
    assert.deepEqual(readdirSync(folder), []);
  });

  test('leaves nothing if it is discarded', async (t) => {
    const folder = tempFolder(t);
    const file = await openIn(t, folder);
    await file.begin(VERSION);
    await writeChunk(file, 5);
    await file.discard();
    await file.close();
    assert.deepEqual(readdirSync(folder), []);
  });
});
