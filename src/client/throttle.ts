import { pause } from './retry.js';

/** Keeps a flow of bytes to a rate. */
export class Throttle {
  readonly #bytesPerMs: number;
  /** When all that passed so far should have passed. */
  #due = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** Resolves when the next bytes may pass. A time without any is not made up for. */
  async pass(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#due = Math.max(this.#due, now) + bytes / this.#bytesPerMs;
    const pauseMs = this.#due - now;
    if (pauseMs >= 1) await pause(pauseMs, signal);
  }
}
