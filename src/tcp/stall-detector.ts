/** Detects that a figure that changes with progress has stayed the same for too long. */
export class StallDetector {
  readonly #limitMs: number;
  #last: number | undefined;
  #since = 0;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
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
    return now - this.#since >= this.#limitMs;
  }
}
