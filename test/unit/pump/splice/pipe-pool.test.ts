import assert from 'node:assert/strict';
import { readlinkSync, writeSync } from 'node:fs';
import { type TestContext, describe, test } from 'node:test';
import {
  LARGE_PIPES,
  PIPE_BYTES_LARGE,
  PIPE_BYTES_SMALL,
  PipePool,
  PIPES_KEPT,
  type PooledPipe,
} from '#src/pump/splice/pipe-pool.js';
import { PIPES_MAX } from '#src/pump/splice/thread.js';
import type { SystemCalls } from '#src/system/calls.js';
import { SystemCallError } from '#src/system/library.js';
import { calls, withoutCalls } from '../../../support/calls.js';

/** A pool with a table for `most` pipes; what is left in the table is closed when the test ends. */
function testPool(t: TestContext, most = PIPES_MAX, changed: Partial<SystemCalls> = {}) {
  const table = new Int32Array(2 * most);
  t.after(() => {
    for (const fd of table) if (fd !== 0) calls().close(fd);
  });
  return { pool: new PipePool({ ...calls(), ...changed }, table), table };
}

function takeAll(pool: PipePool, count: number): PooledPipe[] {
  return Array.from({ length: count }, () => {
    const pipe = pool.take();
    assert.ok(pipe);
    return pipe;
  });
}

function isPipe(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith('pipe:');
  } catch {
    return false;
  }
}

describe('the pipes of a worker', { skip: withoutCalls }, () => {
  test('the first are large, the others small', (t) => {
    const { pool } = testPool(t);
    const sizes = takeAll(pool, LARGE_PIPES + 3).map(({ capacity }) => capacity);
    assert.deepEqual(sizes, [
      ...Array.from({ length: LARGE_PIPES }, () => PIPE_BYTES_LARGE),
      ...Array.from({ length: 3 }, () => PIPE_BYTES_SMALL),
    ]);
  });

  test('a large one that was closed makes room for another large one', (t) => {
    const { pool } = testPool(t);
    const [first] = takeAll(pool, LARGE_PIPES);
    assert.ok(first);
    pool.discard(first);
    assert.equal(pool.take()?.capacity, PIPE_BYTES_LARGE);
    assert.equal(pool.take()?.capacity, PIPE_BYTES_SMALL);
  });

  test('the one that came back last is given first', (t) => {
    const { pool } = testPool(t);
    const [one, two] = takeAll(pool, 2);
    assert.ok(one && two);
    pool.give(one);
    pool.give(two);
    assert.equal(pool.take(), two);
    assert.equal(pool.take(), one);
    assert.equal(pool.open, 2);
  });

  test('keeps some of the empty ones and closes the others', (t) => {
    const { pool, table } = testPool(t);
    for (const pipe of takeAll(pool, PIPES_KEPT + 5)) pool.give(pipe);
    assert.equal(pool.open, PIPES_KEPT);
    const listed = [...table].filter((fd) => fd !== 0);
    assert.equal(listed.length, 2 * PIPES_KEPT);
    assert.ok(listed.every(isPipe));
  });

  test('one that is not empty is closed, and nobody gets what was in it', (t) => {
    const { pool, table } = testPool(t);
    const [full] = takeAll(pool, 1);
    assert.ok(full);
    writeSync(full.writeEnd, 'left');
    pool.discard(full);
    assert.ok(!isPipe(full.readEnd) && !isPipe(full.writeEnd));
    assert.deepEqual([...table.subarray(0, 2)], [0, 0]);
    const [next] = takeAll(pool, 1);
    assert.ok(next);
    assert.equal(calls().read(next.readEnd, Buffer.alloc(8)), -11);
  });

  test('has no more than its table has room for, and lists each', (t) => {
    const { pool, table } = testPool(t, 3);
    const pipes = takeAll(pool, 3);
    assert.equal(pool.take(), undefined);
    assert.deepEqual(
      [...table],
      pipes.flatMap(({ readEnd, writeEnd }) => [readEnd, writeEnd]),
    );
    const [, second] = pipes;
    assert.ok(second);
    pool.discard(second);
    assert.equal(pool.take()?.place, second.place);
    assert.equal(pool.take(), undefined);
  });

  test('gives none where the kernel has none, nor one that is too small, and leaves nothing open', (t) => {
    let emfile = true;
    const { pool, table } = testPool(t, PIPES_MAX, {
      pipe: () => {
        if (emfile) throw new SystemCallError('pipe2', -24);
        return calls().pipe();
      },
      resizePipe: (fd) => calls().resizePipe(fd, 4096),
    });
    assert.equal(pool.take(), undefined);
    emfile = false;
    assert.equal(pool.take(), undefined);
    assert.equal(pool.open, 0);
    assert.ok(table.every((fd) => fd === 0));
  });

  test('a defect of ours is not taken for a lack of pipes', (t) => {
    const { pool } = testPool(t, PIPES_MAX, {
      pipe: () => {
        throw new TypeError('a defect');
      },
    });
    assert.throws(() => pool.take(), TypeError);
  });
});
