import { MAX_TIMER_MS } from '../defaults.js';
import { type Limit, leastMs } from './live-limit.js';
import { StallDetector } from './stall-detector.js';

/** Checks within one limit, so that a wait ends between 1 and 1 + 1/8 times its limit. */
export const WATCHDOG_CHECKS = 8;

/**
 * Ends a wait that makes no progress. It samples a figure that changes with progress, so that the data path itself
 * never touches a timer.
 */
export class Watchdog {
  readonly #timer: NodeJS.Timeout;

  /**
   * @param limit how long the figure may stay the same
   * @param progress the figure, or undefined while nothing is waited for
   * @param expired called once, after which the watchdog is stopped
   */
  constructor(limit: Limit, progress: () => number | undefined, expired: () => void) {
    const detector = new StallDetector(limit);
    detector.isStalled(progress(), performance.now());
    this.#timer = setInterval(
      () => {
        if (!detector.isStalled(progress(), performance.now())) return;
        this.stop();
        expired();
      },
      Math.min(Math.max(1, Math.ceil(leastMs(limit) / WATCHDOG_CHECKS)), MAX_TIMER_MS),
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
