import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { GrowingHash } from '#src/files/hash/thread.js';
import { sparseFile, tempFolder } from '../../../support/temp.js';

const MIB = 1024 * 1024;

test('a file is hashed in parts, and no further part after the hash is cancelled', async (t) => {
  const fd = openSync(sparseFile(tempFolder(t), 'file', 0), 'r');
  t.after(() => closeSync(fd));
  const parts: { from: number; to: number; last: boolean }[] = [];
  const record = async (part: (typeof parts)[number]): Promise<string | undefined> => {
    parts.push(part);
    return part.last ? 'all' : undefined;
  };
  const hash = new GrowingHash(fd, record, () => {});
  hash.advance(200 * MIB);
  assert.equal(await hash.digest(), 'all');
  assert.deepEqual(
    parts.map(({ from, to, last }) => [from / MIB, to / MIB, last]),
    [
      [0, 64, false],
      [64, 128, false],
      [128, 192, false],
      [192, 200, true],
    ],
  );

  parts.length = 0;
  const cancelled = new GrowingHash(fd, record, () => {});
  cancelled.advance(200 * MIB);
  const never = cancelled.digest();
  const closing = cancelled.close();
  await assert.rejects(never, /cancelled/);
  await closing;
  assert.equal(parts.length, 1);
});
