import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Slices, firstInSlices, sortInSlices } from '#src/node/origin/slices.js';

/** Counts turns of the event loop until the count is asked for. */
function countTurns(): () => number {
  let [turns, isOver] = [0, false];
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  return () => {
    isOver = true;
    return turns;
  };
}

test('sorts as an array does, and lets the event loop turn meanwhile', async () => {
  const order = new Intl.Collator('en', { numeric: true }).compare;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string()), async (names) => {
      assert.deepEqual(await sortInSlices(names, order, new Slices()), names.toSorted(order));
    }),
  );
  const turns = countTurns();
  await sortInSlices(
    Array.from({ length: 50_000 }, (_, index) => `name ${(index * 7919) % 50_000}`),
    order,
    new Slices(),
  );
  assert.ok(turns() >= 10);
});

test('the first ones are those of the sorted array, in its order, of those that take part', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 3000 }),
      fc.nat(3000),
      fc.integer({ min: 1, max: 5 }),
      async (values, count, step) => {
        const has = (index: number): boolean => index % step === 0;
        const compare = (a: number, b: number): number => (values[a] ?? 0) - (values[b] ?? 0);
        const all = [...values.keys()].filter(has).toSorted(compare);
        const first = await firstInSlices(count, values.length, { has, compare }, new Slices());
        assert.deepEqual(first, all.slice(0, count));
      },
    ),
  );
  const turns = countTurns();
  const size = 200_000;
  const compare = (a: number, b: number): number => ((a * 7919) % size) - ((b * 7919) % size);
  await firstInSlices(250, size, { has: () => true, compare }, new Slices());
  assert.ok(turns() >= 3);
});
