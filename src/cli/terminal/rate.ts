/** Weight of the newest second. */
const SMOOTHING = 0.3;
/** Below this span, in seconds, an average says little. */
const LEAST_SPAN = 0.1;

/** A smoothed rate: an exponential moving average over seconds, and the plain average within the first one. */
export class RateMeter {
  #moved = 0;
  #rate: number | undefined;
  #sample: { readonly moved: number; readonly at: number };

  /** @param now a monotonic clock in ms, here and below */
  constructor(now: number) {
    this.#sample = { moved: 0, at: now };
  }

  /** Counts bytes that have moved. */
  add(bytes: number): void {
    this.#moved += bytes;
  }

  /** A pause is no slowness: measuring goes on from here. */
  restart(now: number): void {
    this.#sample = { moved: this.#moved, at: now };
  }

  /** Bytes per second. */
  at(now: number): number {
    const span = (now - this.#sample.at) / 1000;
    const rate = (this.#moved - this.#sample.moved) / Math.max(span, LEAST_SPAN);
    if (span < 1) return this.#rate ?? rate;
    // As if each second of the span had been sampled, so that rare calls forget as fast as frequent ones.
    const weight = 1 - (1 - SMOOTHING) ** span;
    this.#rate = this.#rate === undefined ? rate : this.#rate + weight * (rate - this.#rate);
    this.restart(now);
    return this.#rate;
  }
}
