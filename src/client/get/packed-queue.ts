import { deserialize, serialize } from 'node:v8';

/** Values per packed batch: few enough to be unpacked in a millisecond. */
const BATCH = 1000;

/**
 * A queue of plain values (anything that can be cloned). All but the first and the last batch are kept in serialized
 * form: an entry of a listing takes about 80 bytes so, and 250 as an object (measured).
 */
export class PackedQueue<T> {
  readonly #packed: Buffer[] = [];
  /** The next values, the first one last. */
  #first: T[] = [];
  #last: T[] = [];

  push(value: T): void {
    this.#last.push(value);
    if (this.#last.length < BATCH) return;
    this.#packed.push(serialize(this.#last));
    this.#last = [];
  }

  /** Removes and returns the first value; undefined if there is none. */
  shift(): T | undefined {
    if (this.#first.length === 0) {
      const packed = this.#packed.shift();
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `push` has serialized
      this.#first = packed === undefined ? this.#last : (deserialize(packed) as T[]);
      if (packed === undefined) this.#last = [];
      this.#first.reverse();
    }
    return this.#first.pop();
  }
}
