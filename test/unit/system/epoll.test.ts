import assert from 'node:assert/strict';
import { closeSync, writeSync } from 'node:fs';
import { describe, test } from 'node:test';
import { EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EpollEvents } from '#src/system/calls.js';
import { calls, closeAfter, fdOf, socketPair, testPipe, withoutCalls } from '../../support/calls.js';

/** What one wait says, as pairs of data and events. */
function waitOnce(epoll: number, events: EpollEvents, timeoutMs = 0): (readonly [number, number])[] {
  const count = calls().epollWait(epoll, events, timeoutMs);
  assert.ok(count >= 0, `epoll_wait: ${count}`);
  return Array.from({ length: count }, (_, index) => [events.data(index), events.events(index)] as const);
}

describe('epoll', { skip: withoutCalls }, () => {
  test('says which descriptor is ready, with the word that it was added with', (t) => {
    const epoll = closeAfter(t, calls().epollCreate());
    const [one, two] = [testPipe(t), testPipe(t)];
    const events = new EpollEvents(8);
    calls().epollAdd(epoll, one.readEnd, EPOLLIN, -1);
    calls().epollAdd(epoll, two.readEnd, EPOLLIN, 2 ** 31 - 1);
    assert.deepEqual(waitOnce(epoll, events), []);
    writeSync(two.writeEnd, 'x');
    assert.deepEqual(waitOnce(epoll, events), [[2 ** 31 - 1, EPOLLIN]]);
    writeSync(one.writeEnd, 'x');
    assert.deepEqual(
      waitOnce(epoll, events).toSorted(([a], [b]) => a - b),
      [
        [-1, EPOLLIN],
        [2 ** 31 - 1, EPOLLIN],
      ],
    );
  });

  test('with EPOLLET says it once for each time that something comes', (t) => {
    const epoll = closeAfter(t, calls().epollCreate());
    const { readEnd, writeEnd } = testPipe(t);
    const events = new EpollEvents(8);
    calls().epollAdd(epoll, readEnd, EPOLLIN | EPOLLET, 7);
    for (let time = 0; time < 2; time += 1) {
      writeSync(writeEnd, 'x');
      assert.deepEqual(waitOnce(epoll, events), [[7, EPOLLIN]]);
      assert.deepEqual(waitOnce(epoll, events), []);
    }
    closeSync(writeEnd);
    assert.deepEqual(waitOnce(epoll, events), [[7, EPOLLIN | EPOLLHUP]]);
  });

  test('a socket is writable, and readable once something came', async (t) => {
    const epoll = closeAfter(t, calls().epollCreate());
    const [near, far] = await socketPair(t);
    const events = new EpollEvents(8);
    calls().epollAdd(epoll, fdOf(near), EPOLLIN | EPOLLOUT | EPOLLET, 7);
    assert.deepEqual(waitOnce(epoll, events), [[7, EPOLLOUT]]);
    far.write('x');
    assert.deepEqual(waitOnce(epoll, events, 10_000), [[7, EPOLLIN | EPOLLOUT]]);
  });

  test('fetches no more events than there is room for, and the others next time', (t) => {
    const epoll = closeAfter(t, calls().epollCreate());
    for (const data of [0, 1, 2, 3, 4]) {
      const { readEnd, writeEnd } = testPipe(t);
      writeSync(writeEnd, 'x');
      calls().epollAdd(epoll, readEnd, EPOLLIN | EPOLLET, data);
    }
    const events = new EpollEvents(2);
    const seen = [waitOnce(epoll, events), waitOnce(epoll, events), waitOnce(epoll, events)];
    assert.deepEqual(
      seen.map(({ length }) => length),
      [2, 2, 1],
    );
    assert.deepEqual(
      seen
        .flat()
        .map(([data]) => data)
        .toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4],
    );
  });

  test('a descriptor that was taken off is not heard of again, and may be added anew', (t) => {
    const epoll = closeAfter(t, calls().epollCreate());
    const { readEnd, writeEnd } = testPipe(t);
    const events = new EpollEvents(8);
    calls().epollAdd(epoll, readEnd, EPOLLIN, 1);
    writeSync(writeEnd, 'x');
    calls().epollDelete(epoll, readEnd);
    assert.deepEqual(waitOnce(epoll, events), []);
    calls().epollAdd(epoll, readEnd, EPOLLIN, 2);
    assert.deepEqual(waitOnce(epoll, events), [[2, EPOLLIN]]);
  });

  test('a wait that nothing ends lasts as long as it is told', (t) => {
    const epoll = closeAfter(t, calls().epollCreate());
    const startedAt = performance.now();
    assert.deepEqual(waitOnce(epoll, new EpollEvents(1), 30), []);
    assert.ok(performance.now() - startedAt >= 29);
  });

  test('a wait at what is no epoll descriptor is an error', (t) => {
    const events = new EpollEvents(1);
    assert.equal(calls().epollWait(-1, events, 0), -9);
    assert.equal(calls().epollWait(testPipe(t).readEnd, events, 0), -22);
  });

  test('an eventfd wakes who waits', (t) => {
    const epoll = closeAfter(t, calls().epollCreate());
    const wakes = closeAfter(t, calls().eventfd());
    calls().epollAdd(epoll, wakes, EPOLLIN, 5);
    calls().wake(wakes);
    assert.deepEqual(waitOnce(epoll, new EpollEvents(1), -1), [[5, EPOLLIN]]);
  });
});
