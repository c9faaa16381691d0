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
export async function sortInSlices(
  names: readonly string[],
  compare: (a: string, b: string) => number,
  slices: Slices,
): Promise<string[]> {
  let from = [...names];
  let to = [...names];
  for (let width = 1; width < names.length; width *= 2) {
    for (let start = 0; start < names.length; start += 2 * width) {
      const middle = Math.min(start + width, names.length);
      const end = Math.min(start + 2 * width, names.length);
      for (let left = start, right = middle, at = start; at < end; at += 1) {
        const [a, b] = [from[left] ?? '', from[right] ?? ''];
        const takesLeft = left < middle && (right === end || compare(a, b) <= 0);
        to[at] = takesLeft ? a : b;
        if (takesLeft) left += 1;
        else right += 1;
        if (slices.isOver) await slices.pause();
      }
    }
    [from, to] = [to, from];
  }
  return from;
}
