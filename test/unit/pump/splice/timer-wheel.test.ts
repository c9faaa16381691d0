import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Timed, TimerWheel, WHEEL_SLOTS, WHEEL_TICK_MS } from '#src/pump/splice/timer-wheel.js';

const HORIZON_MS = WHEEL_SLOTS * WHEEL_TICK_MS;

/** An item that notes when it was looked at, and wants to be looked at again `everyMs` later (0: never). */
class Noted implements Timed {
  slot = 0;
  readonly looks: number[] = [];
  everyMs: number;

  constructor(everyMs = 0) {
    this.everyMs = everyMs;
  }

  check(now: number): number {
    this.looks.push(now);
    return this.everyMs;
  }
}

/** Sleeps as the wheel says, until `end`; returns how often it woke. */
function runUntil(wheel: TimerWheel, start: number, end: number): number {
  let now = start;
  for (let woken = 0; ; woken += 1) {
    wheel.advance(now);
    const sleepMs = wheel.untilNext(now);
    if (sleepMs < 0 || now + sleepMs > end) return woken;
    assert.ok(sleepMs > 0, `it would spin at ${now}`);
    now += sleepMs;
  }
}

test('an empty wheel lets its thread sleep for ever', () => {
  const wheel = new TimerWheel(1234);
  wheel.advance(99_999);
  assert.equal(wheel.untilNext(99_999), -1);
});

for (const start of [0, 1, 24.9, 25, 12_345.6, HORIZON_MS - 1, 7 * HORIZON_MS + 3]) {
  test(`from ${start} ms on: an item is looked at once, not early, and at most a tick late`, () => {
    for (const delayMs of [0.1, 1, 24, 25, 26, 1000, HORIZON_MS - 2 * WHEEL_TICK_MS]) {
      const wheel = new TimerWheel(start);
      const item = new Noted();
      wheel.add(item, start, delayMs);
      runUntil(wheel, start, start + 10 * HORIZON_MS);
      assert.equal(item.looks.length, 1);
      const lateMs = (item.looks[0] ?? 0) - start - delayMs;
      assert.ok(lateMs > -WHEEL_TICK_MS && lateMs <= WHEEL_TICK_MS + 1, `${delayMs} ms: ${lateMs} ms late`);
      assert.equal(wheel.untilNext(start + 10 * HORIZON_MS), -1);
    }
  });
}

test('an item that wants it comes again and again, and the thread wakes for nothing else', () => {
  const wheel = new TimerWheel(0);
  const item = new Noted(1250);
  wheel.add(item, 0, 1250);
  const woken = runUntil(wheel, 0, 100_000);
  assert.ok(item.looks.length >= 75 && item.looks.length <= 80, `${item.looks.length} looks`);
  assert.ok(woken <= item.looks.length + 1, `it woke ${woken} times`);
});

test('after a long sleep every item is looked at once, and comes again', () => {
  const wheel = new TimerWheel(0);
  const items = [10, 500, 5000, 12_000].map((everyMs) => {
    const item = new Noted(everyMs);
    wheel.add(item, 0, everyMs);
    return item;
  });
  const late = 20 * HORIZON_MS;
  wheel.advance(late);
  for (const { looks } of items) assert.deepEqual(looks, [late]);
  runUntil(wheel, late, late + 12_100);
  for (const { looks } of items) assert.ok(looks.length > 1);
});

test('an item that comes again at once, however late, does not keep the thread awake', () => {
  for (const lateMs of [0, WHEEL_TICK_MS, HORIZON_MS - WHEEL_TICK_MS, HORIZON_MS, 3 * HORIZON_MS]) {
    const wheel = new TimerWheel(0);
    const item = new Noted(HORIZON_MS);
    wheel.add(item, 0, 100);
    wheel.advance(100 + lateMs);
    const looks = item.looks.length;
    // Late ones may be met on the way a second time; looking early does no harm.
    assert.ok(looks === 1 || looks === 2, `${looks} looks`);
    wheel.advance(100 + lateMs);
    assert.equal(item.looks.length, looks);
    assert.ok(wheel.untilNext(100 + lateMs) > 0);
  }
});

test('an item beyond the horizon is looked at early, not too late', () => {
  const wheel = new TimerWheel(0);
  const item = new Noted();
  wheel.add(item, 0, 100 * HORIZON_MS);
  runUntil(wheel, 0, 2 * HORIZON_MS);
  assert.equal(item.looks.length, 1);
  assert.ok((item.looks[0] ?? Infinity) <= HORIZON_MS);
});

test('an item that was removed is not looked at, and removing it twice is no harm', () => {
  const wheel = new TimerWheel(0);
  const [gone, stays] = [new Noted(), new Noted()];
  wheel.add(gone, 0, 100);
  wheel.add(stays, 0, 100);
  wheel.remove(gone);
  wheel.remove(gone);
  runUntil(wheel, 0, HORIZON_MS);
  assert.deepEqual([gone.looks.length, stays.looks.length], [0, 1]);
  wheel.add(gone, HORIZON_MS, 100);
  wheel.remove(gone);
  assert.equal(wheel.untilNext(HORIZON_MS), -1);
});

test('an item that removes itself while it is looked at leaves the others alone', () => {
  const wheel = new TimerWheel(0);
  const others = [new Noted(50), new Noted(50)];
  const leaves = new (class extends Noted {
    override check(now: number): number {
      wheel.remove(this);
      return super.check(now);
    }
  })();
  for (const item of [others[0], leaves, others[1]]) if (item) wheel.add(item, 0, 50);
  runUntil(wheel, 0, 1000);
  assert.equal(leaves.looks.length, 1);
  for (const { looks } of others) assert.ok(looks.length >= 13, `${looks.length} looks`);
});

test('an item that is added after a long sleep without any is not looked at too late', () => {
  const wheel = new TimerWheel(0);
  const first = new Noted();
  wheel.add(first, 0, 100);
  runUntil(wheel, 0, 200);
  for (const after of [5 * HORIZON_MS + 7, 50 * HORIZON_MS]) {
    const item = new Noted();
    wheel.add(item, after, 300);
    runUntil(wheel, after, after + 400);
    assert.equal(item.looks.length, 1);
  }
});

test('thousands of items at random: each is looked at when it is due', () => {
  const wheel = new TimerWheel(0);
  const due = new Map<Noted, number>();
  let now = 0;
  for (let round = 0; round < 5000; round += 1) {
    now += Math.random() * 30;
    wheel.advance(now);
    for (const [item, at] of due) {
      if (item.looks.length > 0) {
        assert.ok((item.looks[0] ?? 0) > at - WHEEL_TICK_MS, 'too early');
        due.delete(item);
      } else assert.ok(now < at + WHEEL_TICK_MS, 'too late');
    }
    const item = new Noted();
    const delayMs = Math.random() * 2000;
    wheel.add(item, now, delayMs);
    due.set(item, now + delayMs);
    if (round % 3 !== 0) continue;
    wheel.remove(item);
    due.delete(item);
  }
});
