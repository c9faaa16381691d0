import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileCalls } from '#src/system/file-calls.js';
import { SystemCallError } from '#src/system/library.js';
import { closeAfter, testPipe, withoutCalls } from '../../support/calls.js';
import { tempFolder } from '../../support/temp.js';

function files() {
  const calls = fileCalls();
  assert.ok(calls);
  return calls;
}

/** Checks that an error is a SystemCallError of this kind. */
function is(syscall: string, ...codes: readonly string[]) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof SystemCallError);
    assert.equal(error.syscall, syscall);
    assert.ok(codes.includes(error.code), error.code);
    return true;
  };
}

describe('lock', { skip: withoutCalls }, () => {
  test('is one open file’s at a time, until its descriptor closes', (t) => {
    const path = join(tempFolder(t), 'file');
    const [one, two] = [closeAfter(t, openSync(path, 'w')), closeAfter(t, openSync(path, 'r+'))];
    assert.equal(files().lock(one), true);
    assert.equal(files().lock(one), true);
    assert.equal(files().lock(two), false);
    closeSync(one);
    assert.equal(files().lock(two), true);
  });

  test('of no descriptor is an error', () => {
    for (const fd of [-1, 2 ** 30]) assert.throws(() => files().lock(fd), is('flock', 'EBADF'));
  });
});

describe('allocate', { skip: withoutCalls }, () => {
  test('reserves room on the disk, and the size stays', async (t) => {
    const fd = closeAfter(t, openSync(join(tempFolder(t), 'file'), 'w'));
    await files().allocate(fd, 3_000_000);
    const { size, blocks } = fstatSync(fd);
    assert.equal(size, 0);
    assert.ok(blocks * 512 >= 3_000_000, `${blocks} blocks`);
  });

  test('more than any disk has is refused', async (t) => {
    const fd = closeAfter(t, openSync(join(tempFolder(t), 'file'), 'w'));
    await assert.rejects(files().allocate(fd, 2 ** 52), is('fallocate', 'ENOSPC', 'EFBIG'));
    assert.equal(fstatSync(fd).blocks, 0);
  });

  test('of what is no file for writing is an error', async (t) => {
    for (const fd of [-1, 2 ** 30]) await assert.rejects(files().allocate(fd, 1), is('fallocate', 'EBADF'));
    await assert.rejects(files().allocate(testPipe(t).writeEnd, 1), is('fallocate', 'ESPIPE'));
    const readOnly = closeAfter(t, openSync('/proc/self/exe', 'r'));
    await assert.rejects(files().allocate(readOnly, 1), is('fallocate', 'EBADF'));
    const fd = closeAfter(t, openSync(join(tempFolder(t), 'file'), 'w'));
    for (const length of [0, -1])
      await assert.rejects(files().allocate(fd, length), is('fallocate', 'EINVAL'));
  });
});
