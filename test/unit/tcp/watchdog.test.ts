import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Watchdog } from '#src/tcp/watchdog.js';

/** A watchdog on a clock that the test moves. (Node 20's own mock goes on with an interval that clears itself.) */
function watch(t: TestContext, limitMs: number) {
  let now = 0;
  let interval: { readonly check: () => void; readonly everyMs: number } | undefined;
  t.mock.method(performance, 'now', () => now);
  t.mock.method(globalThis, 'setInterval', (check: () => void, everyMs: number) => {
    interval = { check, everyMs };
  });
  t.mock.method(globalThis, 'clearInterval', () => (interval = undefined));
  const state: { figure: number | undefined; expired: number } = { figure: 0, expired: 0 };
  const watchdog = new Watchdog(
    limitMs,
    () => state.figure,
    () => (state.expired += 1),
  );
  const pass = (ms: number): void => {
    for (const end = now + ms; now < end;) {
      now += 1;
      if (interval && now % interval.everyMs === 0) interval.check();
    }
  };
  return { state, watchdog, pass };
}

test('it expires once, between 1 and 1 1/8 times the limit', (t) => {
  const { state, pass } = watch(t, 800);
  pass(799);
  assert.equal(state.expired, 0);
  pass(101);
  assert.equal(state.expired, 1);
  pass(5000);
  assert.equal(state.expired, 1);
});

test('progress starts the wait anew', (t) => {
  const { state, pass } = watch(t, 800);
  for (let round = 0; round < 10; round += 1) {
    pass(700);
    state.figure = round + 1;
  }
  pass(790);
  assert.equal(state.expired, 0);
  pass(300);
  assert.equal(state.expired, 1);
});

test('a figure that shrinks is progress too', (t) => {
  const { state, pass } = watch(t, 800);
  state.figure = 100;
  pass(700);
  state.figure = 50;
  pass(700);
  assert.equal(state.expired, 0);
});

test('time in which nothing is waited for does not count, nor what went before it', (t) => {
  const { state, pass } = watch(t, 800);
  pass(700);
  state.figure = undefined;
  pass(10_000);
  state.figure = 0;
  pass(790);
  assert.equal(state.expired, 0);
  pass(320);
  assert.equal(state.expired, 1);
});

test('it does not expire once it is stopped', (t) => {
  const { state, watchdog, pass } = watch(t, 800);
  watchdog.stop();
  pass(10_000);
  assert.equal(state.expired, 0);
});

test('a limit of less than its checks still works', (t) => {
  const { state, pass } = watch(t, 1);
  pass(2);
  assert.equal(state.expired, 1);
});

test('one that expires may stop another with the same limit', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const heard: string[] = [];
  const second: { watchdog?: Watchdog } = {};
  const first = new Watchdog(800, unchanged, () => {
    heard.push('first');
    second.watchdog?.stop();
  });
  second.watchdog = new Watchdog(800, unchanged, () => heard.push('second'));
  for (; now < 1000; now += 100) t.mock.timers.tick(100);
  first.stop();
  assert.deepEqual(heard, ['first']);
});

function unchanged(): number {
  return 0;
}
