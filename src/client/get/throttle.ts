import type { Sink } from '../../files/destination.js';
import { pause } from './retry.js';

/**
 * The receive buffer of a connection with `--limit-rate`: at most this size, and at most what is read in this time. A
 * larger one would hold more bytes that are lost if the process is killed, and would let the relay wait so long for
 * the next read that its timeout ends the transfer.
 */
export const SLOW_READER_BYTES = 256 * 1024;
const SLOW_READER_SECONDS = 8;

/** Chunks per second; a larger chunk is split. */
const STEPS_PER_SECOND = 8;

/** Limits the rate of one or more byte streams together. */
export class Throttle {
  /** Size for the receive buffer of the socket, in bytes. */
  readonly receiveBuffer: number;
  readonly #bytesPerMs: number;
  /** Bytes that pass at once. */
  readonly #step: number;
  /** The time at which all bytes so far are allowed to have passed. */
  #due = 0;

  /** @param streams that share the rate */
  constructor(bytesPerSecond: number, streams = 1) {
    const bytes = (bytesPerSecond / streams) * SLOW_READER_SECONDS;
    this.receiveBuffer = Math.ceil(Math.min(SLOW_READER_BYTES, bytes));
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#step = Math.ceil(bytesPerSecond / STEPS_PER_SECOND);
  }

  /** A sink that passes chunks on in small steps, each followed by a pause. */
  slowed(sink: Sink, signal: AbortSignal): Sink {
    return async (chunk) => {
      for (let at = 0; at < chunk.length; at += this.#step) {
        const part = chunk.subarray(at, at + this.#step);
        await sink(part);
        await this.#pause(part.length, signal);
      }
    };
  }

  /** Resolves when the next bytes may pass. Time without any bytes does not count. */
  async #pause(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#due = Math.max(this.#due, now) + bytes / this.#bytesPerMs;
    const pauseMs = this.#due - now;
    if (pauseMs >= 1) await pause(pauseMs, signal);
  }
}
