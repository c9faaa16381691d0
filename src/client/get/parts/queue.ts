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
  /** The origin sends it, or has sent other parts of the version over its connection. */
  isConfirmed = false;
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

function isSlow(claim: Claim): boolean {
  return performance.now() - claim.activeAt > SLOW_MS;
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

  /**
   * Has a claim that has come to its end go on over what nobody else brings. A part that is not confirmed, which the origin may
   * still refuse, is waited for, and taken over if it is slow.
   * @returns false if there is nothing
   */
  async extend(claim: Claim): Promise<boolean> {
    for (;;) {
      const further = this.claimFrom(claim.at);
      this.#claims.delete(further);
      if (further.left > 0) {
        claim.end = further.end;
        this.#claims.add(claim);
        return true;
      }
      const next = [...this.#claims].find(
        ({ at, left, isConfirmed }) => !isConfirmed && left > 0 && at === claim.at,
      );
      if (next === undefined) return false;
      if (isSlow(next)) next.end = next.at;
      else await this.changed();
    }
  }

  confirm(claim: Claim): void {
    if (claim.isConfirmed) return;
    claim.isConfirmed = true;
    this.wake();
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
    let largest: Claim | undefined;
    for (const other of this.#claims) {
      const isWorth = other.left >= 2 * PART_BYTES_LEAST || (other.left > 0 && isSlow(other));
      if (isWorth && other.left > (largest?.left ?? 0)) largest = other;
    }
    if (largest === undefined) return undefined;
    const { end } = largest;
    const half = isSlow(largest) ? largest.at : largest.at + Math.ceil(largest.left / 2);
    const start = Math.max(half, end - size);
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
