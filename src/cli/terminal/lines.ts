import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { CommandContext } from '../context.js';

/** Unread lines on standard output or in the log; further ones are dropped and counted. */
const OUTPUT_QUEUE_BYTES = 1024 * 1024;

/** How long the end of the program waits until the output is read, in ms: less than the end after a signal may take. */
const OUTPUT_FLUSH_MS = 500;

/*
 * A node must neither wait for the reader of its output nor fail because the disk under its log is full. Node's
 * standard streams queue what the reader does not take; here the queue is bounded, and further lines are dropped.
 */

/**
 * Writes lines to a standard stream, in order; those of one turn of the event loop together, as each write is a system call.
 * When too many are unread, further lines are dropped and counted.
 */
export class LineWriter {
  /** Of this turn. */
  #lines = '';
  readonly #stream: NodeJS.WriteStream;
  readonly #formatDropped: (count: number) => string;
  #dropped = 0;

  /** @param formatDropped makes the line that reports how many lines were dropped; written once there is room */
  constructor(stream: NodeJS.WriteStream, formatDropped: (count: number) => string) {
    this.#stream = stream;
    this.#formatDropped = formatDropped;
    stream.on('drain', () => this.#reportDropped());
  }

  /** @param text one or more whole lines */
  write(text: string): void {
    if (this.#stream.writableLength + this.#lines.length > OUTPUT_QUEUE_BYTES) {
      this.#dropped += 1;
      return;
    }
    if (this.#lines === '') void setImmediate().then(this.#flush);
    this.#lines += text;
  }

  readonly #flush = (): void => {
    this.#reportDropped();
    this.#stream.write(this.#lines);
    this.#lines = '';
  };

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    this.#stream.write(this.#formatDropped(this.#dropped));
    this.#dropped = 0;
  }
}

/** Waits until the output has been read, for a limited time. */
export async function flushOutput({ stdout, stderr }: CommandContext): Promise<void> {
  await setImmediate(); // Lines of this turn are written with its end.
  const signal = AbortSignal.timeout(OUTPUT_FLUSH_MS);
  for (const stream of [stdout, stderr]) {
    if (stream.writableLength === 0) continue;
    // If the stream fails, or is not read in time, its remaining lines are lost.
    const written = new Promise<void>((resolve) => stream.write('', () => resolve()));
    await Promise.race([written, once(signal, 'abort')]);
  }
}
