import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { EAGAIN, EINVAL, type SystemCalls } from '#src/system/calls.js';
import { SystemCallError } from '#src/system/library.js';
import { calls, closeAfter, fdOf, socketPair, testPipe, withoutCalls } from '../../support/calls.js';
import { settles } from '../../support/leaks.js';
import { readToEnd } from '../../support/raw.js';
import { tempFolder } from '../../support/temp.js';

/** asm-generic/errno-base.h and errno.h, negative. */
const EBADF = -9;
const ENOTTY = -25;
const ENOTSOCK = -88;

/** fcntl.h, as /proc/self/fdinfo shows them. */
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

const NO_DESCRIPTOR = 2 ** 30;

function flagsOf(fd: number): number {
  return Number.parseInt(
    /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '',
    8,
  );
}

function failed(act: () => unknown, syscall: string, code: string): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof SystemCallError);
    assert.deepEqual([error.syscall, error.code], [syscall, code]);
    assert.match(error.message, new RegExp(`^${syscall}: ${code}, \\w+`));
    return true;
  });
}

describe('system calls', { skip: withoutCalls }, () => {
  test('pipe: two ends that do not block and that no child inherits', (t) => {
    const { readEnd, writeEnd } = testPipe(t);
    assert.match(readlinkSync(`/proc/self/fd/${readEnd}`), /^pipe:/);
    for (const fd of [readEnd, writeEnd]) {
      assert.equal(flagsOf(fd) & (O_NONBLOCK | O_CLOEXEC), O_NONBLOCK | O_CLOEXEC);
    }
    assert.equal(calls().read(readEnd, Buffer.alloc(8)), EAGAIN);
  });

  test('resizePipe: tells the capacity, which is a power of two of pages', (t) => {
    const { readEnd, writeEnd } = testPipe(t);
    assert.equal(calls().resizePipe(writeEnd, 1024 * 1024), 1024 * 1024);
    assert.equal(calls().resizePipe(readEnd, 70_000), 128 * 1024);
    assert.equal(calls().resizePipe(writeEnd, 1), 4096);
  });

  test('resizePipe: a size that is refused leaves the capacity', (t) => {
    const { writeEnd } = testPipe(t);
    assert.equal(calls().resizePipe(writeEnd, 2 ** 31 - 1), 64 * 1024);
  });

  test('splice: moves what there is, then EAGAIN, then 0 at the end', (t) => {
    const [from, to] = [testPipe(t), testPipe(t)];
    writeSync(from.writeEnd, 'twelve bytes');
    assert.equal(calls().splice(from.readEnd, to.writeEnd, 5), 5);
    assert.equal(calls().splice(from.readEnd, to.writeEnd, 1000), 7);
    assert.equal(calls().splice(from.readEnd, to.writeEnd, 1000), EAGAIN);
    closeSync(from.writeEnd);
    assert.equal(calls().splice(from.readEnd, to.writeEnd, 1000), 0);
    const moved = Buffer.alloc(100);
    assert.equal(calls().read(to.readEnd, moved), 12);
    assert.equal(moved.toString('utf8', 0, 12), 'twelve bytes');
  });

  test('splice: into a full pipe is EAGAIN, between two sockets EINVAL', async (t) => {
    const [from, to] = [testPipe(t), testPipe(t)];
    writeSync(from.writeEnd, Buffer.alloc(8192));
    assert.equal(calls().resizePipe(to.writeEnd, 4096), 4096);
    assert.equal(calls().splice(from.readEnd, to.writeEnd, 8192), 4096);
    assert.equal(calls().splice(from.readEnd, to.writeEnd, 8192), EAGAIN);
    const [near, far] = await socketPair(t);
    assert.equal(calls().splice(fdOf(near), fdOf(far), 100), EINVAL);
  });

  test('discard: takes bytes off a socket, then EAGAIN, then 0 after FIN', async (t) => {
    const [near, far] = await socketPair(t);
    assert.equal(calls().discard(fdOf(near), 100), EAGAIN);
    far.write(Buffer.alloc(150));
    await settles(
      () => calls().discard(fdOf(near), 100),
      (dropped) => dropped === 100,
      (dropped) => `${dropped} came`,
    );
    assert.equal(calls().discard(fdOf(near), 100), 50);
    assert.equal(calls().discard(fdOf(near), 100), EAGAIN);
    far.end();
    await settles(
      () => calls().discard(fdOf(near), 100),
      (dropped) => dropped === 0,
      (dropped) => `${dropped} came`,
    );
    assert.equal(calls().discard(testPipe(t).readEnd, 100), ENOTSOCK);
  });

  test('unacknowledged: what the far side has no room for, and 0 once it has taken it', async (t) => {
    const [near, far] = await socketPair(t);
    assert.equal(calls().unacknowledged(fdOf(near)), 0);
    const written = once(near, 'drain');
    near.write(Buffer.alloc(64 * 2 ** 20));
    await settles(
      () => calls().unacknowledged(fdOf(near)),
      (bytes) => bytes > 0,
      (bytes) => `${bytes} bytes`,
    );
    far.resume();
    await written;
    await settles(
      () => calls().unacknowledged(fdOf(near)),
      (bytes) => bytes === 0,
      (bytes) => `${bytes} bytes`,
    );
    assert.equal(calls().unacknowledged(testPipe(t).readEnd), ENOTTY);
  });

  for (const [on, how] of [
    [1, 'reset'],
    [0, 'end'],
  ] as const) {
    test(`setLinger: closing after ${on} is a ${how} for the peer`, async (t) => {
      const [near, far] = await socketPair(t);
      assert.equal(calls().setLinger(fdOf(near), 1), 0);
      assert.equal(calls().setLinger(fdOf(near), on), 0);
      const ending = readToEnd(far);
      near.destroy();
      assert.equal((await ending).how, how);
      assert.equal(calls().setLinger(testPipe(t).readEnd, 1), ENOTSOCK);
    });
  }

  test('close: once, and not twice', () => {
    const { readEnd, writeEnd } = calls().pipe();
    assert.equal(calls().close(writeEnd), 0);
    assert.equal(calls().close(readEnd), 0);
    assert.equal(calls().close(readEnd), EBADF);
  });

  test('eventfd: counts what woke it, until it is read', (t) => {
    const fd = closeAfter(t, calls().eventfd());
    assert.equal(flagsOf(fd) & (O_NONBLOCK | O_CLOEXEC), O_NONBLOCK | O_CLOEXEC);
    const counter = Buffer.alloc(8);
    assert.equal(calls().read(fd, counter), EAGAIN);
    for (let time = 0; time < 3; time += 1) assert.equal(calls().wake(fd), 8);
    assert.equal(calls().read(fd, Buffer.alloc(4)), EINVAL);
    assert.equal(calls().read(fd, counter), 8);
    assert.equal(counter.readBigUInt64LE(), 3n);
    assert.equal(calls().read(fd, counter), EAGAIN);
  });
});

describe('a wrong descriptor is an error, never a crash', { skip: withoutCalls }, () => {
  const results: Readonly<Record<string, (c: SystemCalls, fd: number) => number>> = {
    'splice from': (c, fd) => c.splice(fd, 1, 100),
    'splice to': (c, fd) => c.splice(0, fd, 100),
    discard: (c, fd) => c.discard(fd, 100),
    read: (c, fd) => c.read(fd, Buffer.alloc(8)),
    wake: (c, fd) => c.wake(fd),
    unacknowledged: (c, fd) => c.unacknowledged(fd),
    setLinger: (c, fd) => c.setLinger(fd, 1),
    close: (c, fd) => c.close(fd),
  };
  for (const [name, call] of Object.entries(results)) {
    test(`${name}: EBADF`, () => {
      for (const fd of [-1, NO_DESCRIPTOR]) assert.equal(call(calls(), fd), EBADF);
    });
  }

  test('calls that set something up throw, with the name of errno', (t) => {
    const file = closeAfter(t, openSync(join(tempFolder(t), 'file'), 'w'));
    const epoll = closeAfter(t, calls().epollCreate());
    const { readEnd } = testPipe(t);
    for (const fd of [-1, NO_DESCRIPTOR]) {
      failed(() => calls().resizePipe(fd, 4096), 'fcntl', 'EBADF');
      failed(() => calls().epollAdd(epoll, fd, 1, 0), 'epoll_ctl', 'EBADF');
      failed(() => calls().epollAdd(fd, readEnd, 1, 0), 'epoll_ctl', 'EBADF');
      assert.equal(calls().epollDelete(epoll, fd), -constants.errno.EBADF);
    }
    failed(() => calls().epollAdd(epoll, file, 1, 0), 'epoll_ctl', 'EPERM');
    failed(() => calls().epollAdd(epoll, epoll, 1, 0), 'epoll_ctl', 'EINVAL');
    assert.equal(calls().epollDelete(epoll, readEnd), -constants.errno.ENOENT);
    calls().epollAdd(epoll, readEnd, 1, 0);
    failed(() => calls().epollAdd(epoll, readEnd, 1, 0), 'epoll_ctl', 'EEXIST');
    failed(() => calls().resizePipe(file, 4096), 'fcntl', 'EBADF');
  });
});
