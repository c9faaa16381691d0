import type { Sink } from '../../files/destination.js';
import { pause } from './retry.js';

/** What waits in the kernel for a download that is slowed down by `--limit-rate`, at most; lost if it is killed. */
export const SLOW_READER_BYTES = 256 * 1024;
const SLOW_READER_SECONDS = 8;

/** Such a download goes on so often in a second. */
const THROTTLE_STEPS = 8;

/** Keeps a flow of bytes to a rate. */
export class Throttle {
  /** Bytes that should wait in the kernel at most: a relay gives up a reader that takes nothing for long. */
  readonly receiveBuffer: number;
  readonly #bytesPerMs: number;
  /** Bytes that pass at once. */
  readonly #step: number;
  /** When all that passed so far should have passed. */
  #due = 0;

  constructor(bytesPerSecond: number) {
    this.receiveBuffer = Math.ceil(Math.min(SLOW_READER_BYTES, bytesPerSecond * SLOW_READER_SECONDS));
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#step = Math.ceil(bytesPerSecond / THROTTLE_STEPS);
  }

  /** The sink, at this rate: in small steps, each taken before it is waited for. */
  slowed(sink: Sink, signal: AbortSignal): Sink {
    return async (chunk) => {
      for (let at = 0; at < chunk.length; at += this.#step) {
        const part = chunk.subarray(at, at + this.#step);
        await sink(part);
        await this.#pass(part.length, signal);
      }
    };
  }

  /** Resolves when the next bytes may pass. A time without any is not made up for. */
  async #pass(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#due = Math.max(this.#due, now) + bytes / this.#bytesPerMs;
    const pauseMs = this.#due - now;
    if (pauseMs >= 1) await pause(pauseMs, signal);
  }
}
