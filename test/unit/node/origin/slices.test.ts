import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Slices, firstInSlices, sortInSlices } from '#src/node/origin/slices.js';

test('sorts as an array does, and lets the event loop turn meanwhile', async () => {
  const order = new Intl.Collator('en', { numeric: true }).compare;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string()), async (names) => {
      assert.deepEqual(await sortInSlices(names, order, new Slices()), names.toSorted(order));
    }),
  );
  let turns = 0;
  let isSorted = false;
  const count = (): void => {
    turns += 1;
    if (!isSorted) setImmediate(count);
  };
  setImmediate(count);
  await sortInSlices(
    Array.from({ length: 50_000 }, (_, index) => `name ${(index * 7919) % 50_000}`),
    order,
    new Slices(),
  );
  isSorted = true;
  assert.ok(turns >= 10, `${turns} turns`);
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
});
