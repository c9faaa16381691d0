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
  readonly #round: Round;
  readonly #detector: StallDetector;
  readonly #progress: () => number | undefined;
  readonly #expired: () => void;

  /**
   * @param limit how long the figure may stay the same
   * @param progress the figure, or undefined while nothing is waited for
   * @param expired called once, after which the watchdog is stopped
   */
  constructor(limit: Limit, progress: () => number | undefined, expired: () => void) {
    this.#detector = new StallDetector(limit);
    this.#progress = progress;
    this.#expired = expired;
    this.#detector.isStalled(progress(), performance.now());
    this.#round = Round.every(
      Math.min(Math.max(1, Math.ceil(leastMs(limit) / WATCHDOG_CHECKS)), MAX_TIMER_MS),
    );
    this.#round.add(this);
  }

  check(now: number): void {
    if (!this.#detector.isStalled(this.#progress(), now)) return;
    this.stop();
    this.#expired();
  }

  stop(): void {
    this.#round.delete(this);
  }
}

/** Watchdogs with the same interval share a timer: each flow has several, and most end before it is due. */
class Round {
  static readonly #rounds = new Map<number, Round>();
  readonly #watchdogs = new Set<Watchdog>();
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;

  private constructor(ms: number) {
    this.#ms = ms;
  }

  static every(ms: number): Round {
    let round = Round.#rounds.get(ms);
    if (round === undefined) Round.#rounds.set(ms, (round = new Round(ms)));
    return round;
  }

  add(watchdog: Watchdog): void {
    this.#watchdogs.add(watchdog);
    this.#timer ??= setInterval(this.#check, this.#ms);
  }

  delete(watchdog: Watchdog): void {
    this.#watchdogs.delete(watchdog);
    if (this.#watchdogs.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    Round.#rounds.delete(this.#ms);
  }

  readonly #check = (): void => {
    const now = performance.now();
    // One that expires may stop others.
    for (const watchdog of Array.from(this.#watchdogs))
      if (this.#watchdogs.has(watchdog)) watchdog.check(now);
  };
}
