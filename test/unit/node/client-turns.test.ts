import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ClientTurns } from '#src/node/client-turns.js';

/** Work that ends when it is told to. */
class Work {
  begun = false;
  readonly #ending = new EventEmitter();
  readonly run = async (): Promise<void> => {
    this.begun = true;
    await once(this.#ending, 'end');
  };
  end(): void {
    this.#ending.emit('end');
  }
}

const fail = (): Promise<never> => Promise.reject(new Error('no'));

test('a client has two at once, in order; another one does not wait for it', async (t) => {
  // On a busy machine it could take as long as work that is not waited for.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const turns = new ClientTurns();
  const works = Array.from({ length: 5 }, () => new Work());
  const runs = works.map(({ run }) => turns.run('a', run));
  const other = new Work();
  const otherRun = turns.run('b', other.run);
  const begun = (): string => works.map(({ begun: isBegun }) => Number(isBegun)).join('');
  await turn();
  assert.equal(begun(), '11000');
  assert.equal(other.begun, true);
  works[1]?.end();
  await turn();
  assert.equal(begun(), '11100');
  for (const each of works) {
    each.end();
    await turn();
  }
  assert.equal(begun(), '11111');
  other.end();
  await Promise.all([...runs, otherRun]);
});

test('a failure gives its place to the next one', async () => {
  const turns = new ClientTurns();
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => turns.run('a', fail)));
  assert.ok(results.every(({ status }) => status === 'rejected'));
  assert.equal(await turns.run('a', async () => 'yes'), 'yes');
});

test('work that takes long is not waited for', async () => {
  const turns = new ClientTurns();
  const hanging = [new Work(), new Work()];
  const runs = hanging.map(({ run }) => turns.run('a', run));
  assert.equal(await turns.run('a', async () => 'yes'), 'yes');
  for (const each of hanging) each.end();
  await Promise.all(runs);
  const next = [new Work(), new Work(), new Work()];
  const more = next.map(({ run }) => turns.run('a', run));
  await turn();
  assert.deepEqual(
    next.map(({ begun: isBegun }) => isBegun),
    [true, true, false],
  );
  for (const each of next) {
    each.end();
    await turn();
  }
  await Promise.all(more);
});
