/** Tells when a figure that changes with progress has stayed the same for too long. */
export class Patience {
  readonly #limitMs: number;
  #last: number | undefined;
  #since = 0;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /**
   * To be asked several times within the limit.
   * @param figure as it is now, or undefined while nothing is waited for
   * @param now in ms, of a clock that only goes forward
   */
  isOver(figure: number | undefined, now: number): boolean {
    if (figure === undefined || figure !== this.#last) {
      this.#last = figure;
      this.#since = now;
      return false;
    }
    return now - this.#since >= this.#limitMs;
  }
}
