import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { PartialFile } from '#src/files/partial-file.js';
import { inspectTarget } from '#src/files/target.js';
import { withoutCalls } from '../../support/calls.js';
import { failureOf } from '../../support/failures.js';
import { tempFolder } from '../../support/temp.js';

const MIB = 1024 * 1024;
const SIZE = 1024 * MIB;

async function openIn(t: TestContext, folder = tempFolder(t)): Promise<PartialFile> {
  return PartialFile.open({
    target: await inspectTarget(join(folder, 'file')),
    source: 'upload 7',
    isSameSource: () => true,
    hashes: undefined,
    keepExisting: false,
    hiddenName: false,
  });
}

/** Disk space of a file, in bytes. */
function allocated(path: string): number {
  return statSync(path).blocks * 512;
}

describe('disk space', { skip: withoutCalls }, () => {
  test('of a transfer that failed is released down to what was received', async (t) => {
    const file = await openIn(t);
    await file.begin({ etag: '"v1"', size: SIZE });
    await file.write(Buffer.from('hello'), 0);
    assert.ok(allocated(file.path) > MIB, 'some space is reserved');
    await file.close();
    assert.ok(allocated(file.path) < MIB, `${allocated(file.path)} bytes stay reserved`);
    assert.equal(readFileSync(file.path, 'utf8'), 'hello');
  });

  test('is reserved in steps of what was received, so that a killed process leaves little', async (t) => {
    const file = await openIn(t);
    await file.begin({ etag: '"v1"', size: SIZE });
    const chunk = Buffer.alloc(MIB);
    for (let number = 0; number < 100; number += 1) {
      await file.write(chunk, number * MIB);
      assert.ok(allocated(file.path) <= Math.max(65 * MIB, 3 * file.bytes), `after ${file.bytes} bytes`);
    }
    await file.close();
    assert.ok(allocated(file.path) <= 101 * MIB);
  });

  test('of a resumed transfer is released too', async (t) => {
    const folder = tempFolder(t);
    const first = await openIn(t, folder);
    await first.begin({ etag: '"v1"', size: SIZE });
    await first.write(Buffer.from('hello'), 0);
    await first.close();
    const next = await openIn(t, folder);
    await next.write(Buffer.from(' you'), 5);
    assert.ok(allocated(next.path) > MIB);
    await next.close();
    assert.ok(allocated(next.path) < MIB);
    assert.equal(readFileSync(next.path, 'utf8'), 'hello you');
  });

  test('that does not exist fails the transfer at its beginning', async (t) => {
    const file = await openIn(t);
    const { code, message } = await failureOf(file.begin({ etag: '"v1"', size: 2 ** 52 }));
    assert.equal(code, 'WRITE_FAILED');
    assert.match(message, /the disk is too full/);
    await file.close();
  });
});
