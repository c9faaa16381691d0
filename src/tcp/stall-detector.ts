import { type Limit, currentMs } from './live-limit.js';

/** Detects that a figure that changes with progress has stayed the same for too long. */
export class StallDetector {
  readonly #limit: Limit;
  #last: number | undefined;
  #since = 0;

  constructor(limit: Limit) {
    this.#limit = limit;
  }

  /**
   * To be called several times within the limit.
   * @param figure its value now, or undefined while nothing is waited for
   * @param now in ms, of a monotonic clock
   */
  isStalled(figure: number | undefined, now: number): boolean {
    if (figure === undefined || figure !== this.#last) {
      this.#last = figure;
      this.#since = now;
      return false;
    }
    return now - this.#since >= currentMs(this.#limit);
  }
}
