import { MAX_TIMER_MS, WATCHDOG_CHECKS } from '../limits.js';

/**
 * Ends a wait that makes no progress. It samples a figure that changes with progress, so that the
 * data path itself never touches a timer.
 */
export class Watchdog {
  readonly #timer: NodeJS.Timeout;

  /**
   * @param limitMs how long the figure may stay the same
   * @param progress the figure, or undefined while nothing is waited for
   * @param expired called once, after which the watchdog is stopped
   */
  constructor(limitMs: number, progress: () => number | undefined, expired: () => void) {
    let last = progress();
    let since = performance.now();
    this.#timer = setInterval(
      () => {
        const current = progress();
        const now = performance.now();
        if (current === undefined || current !== last) since = now;
        else if (now - since >= limitMs) {
          this.stop();
          expired();
        }
        last = current;
      },
      Math.min(Math.max(1, Math.ceil(limitMs / WATCHDOG_CHECKS)), MAX_TIMER_MS),
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
