/** The timer wheel of a worker: 512 × 25 ms is 12.8 s. A limit that is further away is looked at early. */
export const WHEEL_SLOTS = 512;
export const WHEEL_TICK_MS = 25;

/** Something that wants to be looked at now and then. Looking early does no harm. */
export interface Timed {
  /** Where it is; the wheel's own. */
  slot: number;
  /** Looks, and says when to look again, in ms; 0 for never. Takes no other item off the wheel. */
  check(now: number): number;
}

/**
 * A hashed timer wheel (Varghese and Lauck, 1987): one timer for any number of flows. An item further away than the
 * wheel reaches is looked at early.
 */
export class TimerWheel {
  readonly #slots: Set<Timed>[] = Array.from({ length: WHEEL_SLOTS }, () => new Set());
  /** The last tick whose slot was looked at. */
  #tick: number;
  /** No item is due before this one. */
  #next = Infinity;
  #count = 0;

  constructor(now: number) {
    this.#tick = tickOf(now);
  }

  add(item: Timed, now: number, delayMs: number): void {
    const ticks = Math.min(Math.max(Math.ceil(delayMs / WHEEL_TICK_MS), 1), WHEEL_SLOTS - 1);
    const tick = tickOf(now) + ticks;
    item.slot = tick % WHEEL_SLOTS;
    this.#slots[item.slot]?.add(item);
    this.#count += 1;
    this.#next = Math.min(this.#next, tick);
  }

  remove(item: Timed): void {
    if (this.#slots[item.slot]?.delete(item)) this.#count -= 1;
  }

  /** Looks at every item whose time has come. */
  advance(now: number): void {
    const tick = tickOf(now);
    if (tick < this.#next) return;
    // After a long sleep every slot is due, and once is enough.
    for (let due = Math.max(this.#tick, tick - WHEEL_SLOTS) + 1; due <= tick; due += 1) this.#look(due, now);
    this.#tick = tick;
    this.#next = tick + 1;
    if (this.#count === 0) this.#next = Infinity;
    else while (this.#slots[this.#next % WHEEL_SLOTS]?.size === 0) this.#next += 1;
  }

  /** Milliseconds until an item may be due, rounded up; -1 if there is none. */
  untilNext(now: number): number {
    if (this.#count === 0) return -1;
    return Math.max(0, Math.ceil(this.#next * WHEEL_TICK_MS - now));
  }

  #look(tick: number, now: number): void {
    const slot = tick % WHEEL_SLOTS;
    const due = this.#slots[slot];
    if (due === undefined || due.size === 0) return;
    // An item that is late may come to this very slot again.
    this.#slots[slot] = new Set();
    for (const item of due) {
      this.#count -= 1;
      const delayMs = item.check(now);
      if (delayMs > 0) this.add(item, now, delayMs);
    }
  }
}

function tickOf(now: number): number {
  return Math.floor(now / WHEEL_TICK_MS);
}
