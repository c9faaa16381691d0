import { once } from 'node:events';

/** Lines for a reader of standard output or the log who does not read; further ones are dropped and counted. */
const OUTPUT_QUEUE_BYTES = 1024 * 1024;

/** How long the end of the program waits for such a reader. */
const OUTPUT_FLUSH_MS = 1000;

/*
 * A node must not wait for whoever reads its lines, nor die of a full disk under its log. Node's standard
 * streams take what they can and queue the rest; here the queue has a bound, past which lines are dropped.
 */

/** Lines on a standard stream, in order; past a bound of unread ones they are dropped, and counted. */
export class LineWriter {
  readonly #stream: NodeJS.WriteStream;
  readonly #tellDropped: (count: number) => string;
  #dropped = 0;

  /** @param tellDropped the line that says how many are missing, written once there is room again */
  constructor(stream: NodeJS.WriteStream, tellDropped: (count: number) => string) {
    this.#stream = stream;
    this.#tellDropped = tellDropped;
    stream.on('drain', () => this.#tell());
  }

  /** @param text one or more whole lines */
  write(text: string): void {
    if (this.#stream.writableLength > OUTPUT_QUEUE_BYTES) {
      this.#dropped += 1;
      return;
    }
    this.#tell();
    this.#stream.write(text);
  }

  #tell(): void {
    if (this.#dropped === 0) return;
    this.#stream.write(this.#tellDropped(this.#dropped));
    this.#dropped = 0;
  }
}

/** Waits until the standard streams have been read, but not for long. */
export async function flushOutput(): Promise<void> {
  const signal = AbortSignal.timeout(OUTPUT_FLUSH_MS);
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writableLength === 0) continue;
    // A stream that fails or is not read in time has lost its lines.
    const written = new Promise<void>((resolve) => stream.write('', () => resolve()));
    await Promise.race([written, once(signal, 'abort')]);
  }
}
