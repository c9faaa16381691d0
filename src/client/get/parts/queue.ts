import { type ByteRanges, addRange } from '../../../files/ranges.js';

/** Smaller parts are not worth a request. */
const PART_BYTES_LEAST = 256 * 1024;

/** The rest of a part on a connection that has brought nothing for so long is asked for on another one as well. */
const SLOW_MS = 2000;

/** A range that one connection fetches. It shrinks when another one takes its end over. */
export class Claim {
  /** The next byte that is to come. */
  at: number;
  /** Where it ends by now. */
  end: number;
  /** When its last byte came. */
  activeAt = performance.now();

  constructor(start: number, end: number) {
    this.at = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }
}

/** Which parts of a file are there, are being fetched, or are still to be fetched. */
export class PartQueue {
  readonly #size: number;
  #done: ByteRanges;
  readonly #claims = new Set<Claim>();
  #waiting: (() => void)[] = [];

  /** @param done what was fetched before */
  constructor(size: number, done: ByteRanges) {
    this.#size = size;
    this.#done = done;
  }

  get isComplete(): boolean {
    const [first] = this.#done;
    return this.#size === 0 || (first?.start === 0 && first.end === this.#size);
  }

  /** Claims all from a position up to what is there or claimed: for a connection that sends the rest of the file. */
  claimFrom(start: number): Claim {
    const next = [...this.#done, ...this.#ranges()]
      .filter((range) => range.end > start)
      .map((range) => Math.max(range.start, start));
    return this.#claimed(start, Math.min(this.#size, ...next));
  }

  /** Has a claim that has come to its end go on over what nobody else brings. @returns false if there is nothing */
  extend(claim: Claim): boolean {
    const further = this.claimFrom(claim.at);
    this.#claims.delete(further);
    if (further.left <= 0) return false;
    claim.end = further.end;
    this.#claims.add(claim);
    return true;
  }

  /**
   * Claims a part: the end of the last gap, or else of the largest part that another connection still has to bring.
   * @param connections that share what is left
   * @param most bytes
   * @returns undefined while the others can do the rest alone
   */
  claim(connections: number, most: number): Claim | undefined {
    const gap = this.#gaps().at(-1);
    const size = Math.min(most, this.#share(connections));
    if (gap !== undefined) return this.#claimed(Math.max(gap.start, gap.end - size), gap.end);
    const now = performance.now();
    let largest: Claim | undefined;
    for (const other of this.#claims) {
      const isWorth =
        other.left >= 2 * PART_BYTES_LEAST || (other.left > 0 && now - other.activeAt > SLOW_MS);
      if (isWorth && other.left > (largest?.left ?? 0)) largest = other;
    }
    if (largest === undefined) return undefined;
    const { end } = largest;
    const isSlow = now - largest.activeAt > SLOW_MS;
    const start = Math.max(isSlow ? largest.at : largest.at + Math.ceil(largest.left / 2), end - size);
    largest.end = start;
    return this.#claimed(start, end);
  }

  /** Bytes of a claim have been written. */
  wrote(claim: Claim, bytes: number): void {
    this.#done = addRange(this.#done, { start: claim.at, end: claim.at + bytes });
    claim.at += bytes;
    claim.activeAt = performance.now();
    if (claim.left <= 0) this.give(claim);
  }

  /** The connection brings no more of it: what is left is for others. */
  give(claim: Claim): void {
    if (this.#claims.delete(claim)) this.wake();
  }

  /** Resolves when there may be more to claim, or nothing is left. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Has all who wait look again. */
  wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #claimed(start: number, end: number): Claim {
    const claim = new Claim(start, end);
    this.#claims.add(claim);
    return claim;
  }

  #ranges(): { readonly start: number; readonly end: number }[] {
    return Array.from(this.#claims, ({ at, end }) => ({ start: at, end })).filter(
      ({ start, end }) => end > start,
    );
  }

  /** What is neither there nor claimed. */
  #gaps(): ByteRanges {
    const taken = this.#ranges().reduce<ByteRanges>(addRange, this.#done);
    const gaps: { start: number; end: number }[] = [];
    let at = 0;
    for (const { start, end } of [...taken, { start: this.#size, end: this.#size }]) {
      if (start > at) gaps.push({ start: at, end: start });
      at = end;
    }
    return gaps;
  }

  #share(connections: number): number {
    const left = this.#size - this.#done.reduce((sum, { start, end }) => sum + end - start, 0);
    return Math.max(PART_BYTES_LEAST, Math.ceil(left / (2 * connections)));
  }
}
