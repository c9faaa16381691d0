import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ClientTurns } from '#src/node/client-turns.js';

/** Work that ends when it is told to. */
function work() {
  let end = (): void => {};
  const state = { begun: false, end: () => end() };
  const run = () => {
    state.begun = true;
    return new Promise<void>((resolve) => (end = resolve));
  };
  return { state, run };
}

test('a client has two at once, in order; another one does not wait for it', async () => {
  const turns = new ClientTurns();
  const works = Array.from({ length: 5 }, work);
  const runs = works.map(({ run }) => turns.run('a', run));
  const other = work();
  const otherRun = turns.run('b', other.run);
  const begun = (): string => works.map(({ state }) => Number(state.begun)).join('');
  await turn();
  assert.equal(begun(), '11000');
  assert.equal(other.state.begun, true);
  works[1]?.state.end();
  await turn();
  assert.equal(begun(), '11100');
  for (const { state } of works) {
    state.end();
    await turn();
  }
  assert.equal(begun(), '11111');
  other.state.end();
  await Promise.all([...runs, otherRun]);
});

test('a failure gives its place to the next one', async () => {
  const turns = new ClientTurns();
  const failing = (): Promise<never> => Promise.reject(new Error('no'));
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => turns.run('a', failing)));
  assert.ok(results.every(({ status }) => status === 'rejected'));
  assert.equal(await turns.run('a', async () => 'yes'), 'yes');
});

test('work that takes long is not waited for', async () => {
  const turns = new ClientTurns();
  const hanging = [work(), work()];
  const runs = hanging.map(({ run }) => turns.run('a', run));
  assert.equal(await turns.run('a', async () => 'yes'), 'yes');
  for (const { state } of hanging) state.end();
  await Promise.all(runs);
  const next = [work(), work(), work()];
  const more = next.map(({ run }) => turns.run('a', run));
  await turn();
  assert.deepEqual(
    next.map(({ state }) => state.begun),
    [true, true, false],
  );
  for (const { state } of next) {
    state.end();
    await turn();
  }
  await Promise.all(more);
});
