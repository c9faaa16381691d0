import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '../context.js';

/** Unread lines on standard output or in the log; further ones are dropped and counted. */
const OUTPUT_QUEUE_BYTES = 1024 * 1024;

/** How long the end of the program waits until the output is read, in ms: less than the end after a signal may take. */
const OUTPUT_FLUSH_MS = 500;

/** Lines that follow each other so closely are written together, in ms: each write is a system call. */
const GATHER_MS = 1;

/*
 * A node must neither wait for the reader of its output nor fail because the disk under its log is full. Node's
 * standard streams queue what the reader does not take; here the queue is bounded, and further lines are dropped.
 */

/**
 * Writes lines to a standard stream, in order.
 * When too many are unread, further lines are dropped and counted.
 */
export class LineWriter {
  /** Not written yet. */
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
    if (this.#lines === '') setTimeout(this.#flush, GATHER_MS);
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
  await delay(2 * GATHER_MS);
  const signal = AbortSignal.timeout(OUTPUT_FLUSH_MS);
  for (const stream of [stdout, stderr]) {
    if (stream.writableLength === 0) continue;
    // If the stream fails, or is not read in time, its remaining lines are lost.
    const written = new Promise<void>((resolve) => stream.write('', () => resolve()));
    await Promise.race([written, once(signal, 'abort')]);
  }
}
