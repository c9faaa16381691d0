import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Poller } from '#src/tcp/descriptor/poller.js';
import { systemCalls } from '#src/system/calls.js';
import { sockets } from '#src/tcp/descriptor/sockets.js';

const calls = systemCalls();
const skip = sockets() === undefined && 'no koffi';

test(
  'whatever has come is told in the turn in which the loop finds it, however much it is',
  { skip },
  async () => {
    assert.ok(!('missing' in calls));
    const batches = [1024, 1024, 7];
    let found: (() => void) | undefined;
    let told = 0;
    const poller = new Poller(
      {
        ...calls,
        epollCreate: () => 0,
        epollAdd: () => {},
        epollWait: () => batches.shift() ?? 0,
      },
      (_fd, callback) => {
        found = callback;
        return { ref: () => {}, unref: () => {} };
      },
    );
    // All events have the number 0.
    poller.add(0, { notice: () => (told += 1) });
    found?.();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(told, 1024 + 1024 + 7);
  },
);

test('a number is not used again in the turn in which its last owner leaves', { skip }, async () => {
  assert.ok(!('missing' in calls));
  let found: (() => void) | undefined;
  const poller = new Poller(
    { ...calls, epollCreate: () => 0, epollAdd: () => {}, epollWait: () => 1 },
    (_fd, callback) => {
      found = callback;
      return { ref: () => {}, unref: () => {} };
    },
  );
  const heard: string[] = [];
  const number = poller.add(0, { notice: () => heard.push('first') });
  found?.();
  poller.delete(number);
  assert.notEqual(poller.add(1, { notice: () => heard.push('second') }), number);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(heard, []);
  found?.();
  assert.equal(poller.add(2, { notice: () => {} }), number);
});
