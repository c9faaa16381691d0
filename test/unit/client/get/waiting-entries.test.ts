import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobStack } from '#src/client/get/job-stack.js';
import { PackedQueue } from '#src/client/get/packed-queue.js';

const valueOf = (index: number) => ({ name: `file ${index}`, modified: new Date(index * 1000) });

test('a packed queue returns what was pushed, in order, also while more is pushed', () => {
  const queue = new PackedQueue<{ name: string; modified: Date }>();
  const returned = [];
  for (let index = 0; index < 5000; index += 1) {
    queue.push(valueOf(index));
    if (index % 3 === 0) returned.push(queue.shift());
  }
  for (let value = queue.shift(); value !== undefined; value = queue.shift()) returned.push(value);
  assert.deepEqual(
    returned,
    Array.from({ length: 5000 }, (_, index) => valueOf(index)),
  );
  assert.equal(queue.shift(), undefined);
});

test('jobs: no more than the limit run at the same time, and the newest source is used up first', async () => {
  const jobs = new JobStack();
  const order: string[] = [];
  let running = 0;
  let most = 0;
  const folder = (name: string, depth: number) => async (): Promise<void> => {
    most = Math.max(most, ++running);
    order.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    const children = depth === 0 ? [] : [`${name}a`, `${name}b`];
    jobs.push(() => {
      const child = children.shift();
      return child === undefined ? undefined : folder(child, depth - 1);
    });
    running -= 1;
  };
  const roots = ['1', '2'];
  jobs.push(() => {
    const root = roots.shift();
    return root === undefined ? undefined : folder(root, 2);
  });
  await jobs.run(1);
  assert.deepEqual(order.join(' '), '1 1a 1aa 1ab 1b 1ba 1bb 2 2a 2aa 2ab 2b 2ba 2bb');
  assert.equal(most, 1);
});

test('jobs: an error of one is that of all', async () => {
  const jobs = new JobStack();
  const sources = [() => Promise.reject(new Error('failed'))];
  jobs.push(() => sources.shift());
  await assert.rejects(jobs.run(2), /^Error: failed$/);
});
