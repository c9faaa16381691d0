import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyedTurns, Turns } from '#src/node/turns.js';

function nothing(): void {}

/** Work that goes on until it is told to end. */
function held(): { readonly over: Promise<void>; readonly end: () => void } {
  let end = nothing;
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { over, end };
}

test('work that is given up while it waits is not done, and keeps no other work waiting', async () => {
  const turns = new Turns(1, undefined);
  const running = held();
  const first = turns.run(() => running.over);
  const leaving = new AbortController();
  const done: string[] = [];
  const given = turns.run(async () => void done.push('given up'), leaving.signal);
  const kept = turns.run(async () => void done.push('kept'), new AbortController().signal);
  const reason = new Error('it has left');
  leaving.abort(reason);
  // Though the first one goes on.
  await assert.rejects(given, reason);
  running.end();
  await Promise.all([first, kept]);
  assert.deepEqual(done, ['kept']);
  assert.ok(turns.isIdle);
});

test('work that has begun is not given up; what comes after it is aborted is not begun', async () => {
  const turns = new KeyedTurns(1, undefined);
  const leaving = new AbortController();
  const running = held();
  const first = turns.run('key', () => running.over);
  const second = turns.run('key', async () => 'done', leaving.signal);
  running.end();
  await first;
  leaving.abort(new Error('it has left'));
  assert.equal(await second, 'done');
  await assert.rejects(turns.run('key', assert.fail, leaving.signal), /it has left/);
});
