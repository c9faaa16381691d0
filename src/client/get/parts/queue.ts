import { type ByteRanges, addRange } from '../../../files/ranges.js';

/** Smaller parts are not worth a request. */
const PART_BYTES_LEAST = 256 * 1024;

/** The rest of a part that has brought nothing for so long is asked for on another connection as well. */
const SLOW_MS = 2000;

/** A range that one connection fetches. It shrinks when another one takes its end over. */
export class Claim {
  /** The next byte that is to come. */
  at: number;
  /** Where it ends by now. */
  end: number;
  /** The connection that fetches it. */
  readonly owner: object;
  /** Its reply has begun: until then the origin may still refuse it. */
  hasBegun = false;
  /** Claims of the same range, this one too, that were asked for on several connections: the one that begins first is left. */
  rivals: Set<Claim> | undefined;
  /** When it was asked for, its reply began, or its last byte came. */
  activeAt = performance.now();

  constructor(start: number, end: number, owner: object) {
    this.at = start;
    this.end = end;
    this.owner = owner;
  }

  get left(): number {
    return this.end - this.at;
  }

  get isSlow(): boolean {
    return performance.now() - this.activeAt > SLOW_MS;
  }

  /** Another connection brings it. */
  drop(): void {
    this.end = this.at;
    this.leaveRivals();
  }

  leaveRivals(): void {
    this.rivals?.delete(this);
    this.rivals = undefined;
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

  /** Claims all from a position up to what is there or claimed: for a reply that has begun, with the rest of the file. */
  claimFrom(start: number): Claim {
    const claim = this.#claimed(start, this.#freeFrom(start), this);
    claim.hasBegun = true;
    return claim;
  }

  /**
   * Has a claim of {@link claimFrom} that has come to its end go on over what nobody else brings, what may still be refused, or
   * what is slow.
   * @returns false if there is nothing
   */
  extend(claim: Claim): boolean {
    let end = this.#freeFrom(claim.at);
    if (end <= claim.at) {
      const next = [...this.#claims].filter((other) => other.at <= claim.at && other.end > claim.at);
      if (next.some(({ hasBegun, isSlow }) => hasBegun && !isSlow)) return false;
      for (const each of next) {
        end = Math.max(end, each.end);
        each.drop();
      }
    }
    if (end <= claim.at) return false;
    claim.end = end;
    claim.activeAt = performance.now();
    this.#claims.add(claim);
    return true;
  }

  /** Moves a claim that has come to its end past what is there. */
  passDone(claim: Claim): void {
    const there = this.#done.find(({ start, end }) => start <= claim.at && claim.at < end);
    if (there !== undefined) claim.at = claim.end = there.end;
  }

  /**
   * Claims a part: the end of the last gap, or else of the largest part that another connection still has to bring.
   * @param connections that share what is left
   * @param most bytes
   * @param owner of which no claim is taken
   * @returns undefined while the others can do the rest alone
   */
  claim(connections: number, most: number, owner: object): Claim | undefined {
    const gap = this.#gaps().at(-1);
    const size = Math.min(most, this.#share(connections));
    if (gap !== undefined) return this.#claimed(Math.max(gap.start, gap.end - size), gap.end, owner);
    let largest: Claim | undefined;
    for (const other of this.#claims) {
      const rivals = [...(other.rivals ?? [other])];
      if (rivals.some((rival) => rival.owner === owner)) continue;
      const isLarge = other.rivals === undefined && other.left >= 2 * PART_BYTES_LEAST;
      const isWorth = isLarge || (other.left > 0 && rivals.every(({ isSlow }) => isSlow));
      if (isWorth && other.left > (largest?.left ?? 0)) largest = other;
    }
    if (largest === undefined) return undefined;
    if (largest.isSlow && !largest.hasBegun) return this.#rivalOf(largest, owner);
    const { end } = largest;
    const half = largest.isSlow ? largest.at : largest.at + Math.ceil(largest.left / 2);
    const start = Math.max(half, end - size);
    largest.end = start;
    return this.#claimed(start, end, owner);
  }

  /** The reply to a claim has begun. */
  begun(claim: Claim): void {
    claim.hasBegun = true;
    claim.activeAt = performance.now();
    if (claim.left <= 0) return;
    const rivals = claim.rivals ?? [];
    claim.leaveRivals();
    for (const rival of rivals) rival.drop();
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
    claim.leaveRivals();
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

  #claimed(start: number, end: number, owner: object): Claim {
    const claim = new Claim(start, end, owner);
    this.#claims.add(claim);
    return claim;
  }

  #rivalOf(claim: Claim, owner: object): Claim {
    const rival = this.#claimed(claim.at, claim.end, owner);
    claim.rivals ??= new Set([claim]);
    rival.rivals = claim.rivals.add(rival);
    return rival;
  }

  /** How far it is from a position to what is there or claimed. */
  #freeFrom(start: number): number {
    const next = [...this.#done, ...this.#ranges()]
      .filter((range) => range.end > start)
      .map((range) => Math.max(range.start, start));
    return Math.min(this.#size, ...next);
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
