import { setImmediate } from 'node:timers/promises';

/** Work on the main thread goes on for this long before everything else has its turn. */
const SLICE_MS = 0.25;

/** How often the clock is looked at, in steps of work. */
const STEPS = 16;

/** Divides long work into slices, between which the event loop serves others. */
export class Slices {
  #step = 0;
  #since = performance.now();
  readonly #progress: () => void;

  /** @param progress called between two slices */
  constructor(progress = (): void => {}) {
    this.#progress = progress;
  }

  /** To be called for every small step of work: true if it is time to await {@link pause}. */
  get isOver(): boolean {
    this.#step += 1;
    return this.#step % STEPS === 0 && performance.now() - this.#since > SLICE_MS;
  }

  async pause(): Promise<void> {
    this.#progress();
    await setImmediate();
    this.#since = performance.now();
  }
}

/** Sorts, in slices (merge sort, bottom up). Returns another array. */
export async function sortInSlices<T extends string | number>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  slices: Slices,
): Promise<T[]> {
  let from = [...items];
  let to = [...items];
  for (let width = 1; width < items.length; width *= 2) {
    for (let start = 0; start < items.length; start += 2 * width) {
      const middle = Math.min(start + width, items.length);
      const end = Math.min(start + 2 * width, items.length);
      for (let left = start, right = middle, at = start; at < end; at += 1) {
        const a = left < middle ? from[left] : undefined;
        const b = right < end ? from[right] : undefined;
        const takesLeft = b === undefined || (a !== undefined && compare(a, b) <= 0);
        const item = takesLeft ? a : b;
        if (item !== undefined) to[at] = item;
        if (takesLeft) left += 1;
        else right += 1;
        if (slices.isOver) await slices.pause();
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

/**
 * The first `count` of the numbers below `size` in an order, in slices: what does not belong to them costs one comparison.
 * @param has whether a number takes part
 */
export async function firstInSlices(
  count: number,
  size: number,
  { has, compare }: { readonly has: (index: number) => boolean; readonly compare: Compare },
  slices: Slices,
): Promise<readonly number[]> {
  if (count === 0) return [];
  const room = Math.max(2 * count, LEAST_ROOM);
  let first: number[] = [];
  let last: number | undefined;
  const tidy = async (): Promise<void> => {
    first = (await sortInSlices(first, compare, slices)).slice(0, count);
    last = first[count - 1];
  };
  for (let index = 0; index < size; index += 1) {
    if (slices.isOver) await slices.pause();
    if (!has(index) || (last !== undefined && compare(index, last) >= 0)) continue;
    first.push(index);
    if (first.length === room) await tidy();
  }
  await tidy();
  return first;
}

type Compare = (a: number, b: number) => number;

/** Numbers that are collected before they are sorted. */
const LEAST_ROOM = 512;
