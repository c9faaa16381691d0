/** Weight of the newest second. */
const SMOOTHING = 0.3;
/** An average over a shorter span, in seconds, is not meaningful. */
const MIN_SPAN = 0.1;

/** A smoothed rate: an exponential moving average over seconds, within the first second the plain average. */
export class RateMeter {
  #moved = 0;
  #rate: number | undefined;
  #sample: { readonly moved: number; readonly at: number };

  /** @param now a monotonic clock in ms, here and below */
  constructor(now: number) {
    this.#sample = { moved: 0, at: now };
  }

  /** Counts transferred bytes. */
  add(bytes: number): void {
    this.#moved += bytes;
  }

  /** Excludes the time since the last sample, as after a pause. */
  restart(now: number): void {
    this.#sample = { moved: this.#moved, at: now };
  }

  /** Bytes per second. */
  at(now: number): number {
    const span = (now - this.#sample.at) / 1000;
    const rate = (this.#moved - this.#sample.moved) / Math.max(span, MIN_SPAN);
    if (span < 1) return this.#rate ?? rate;
    // Weighs the span as if it had been sampled each second, so that the result does not depend on how often this is called.
    const weight = 1 - (1 - SMOOTHING) ** span;
    this.#rate = this.#rate === undefined ? rate : this.#rate + weight * (rate - this.#rate);
    this.restart(now);
    return this.#rate;
  }
}
