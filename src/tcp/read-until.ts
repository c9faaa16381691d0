import type { Signal } from '../signal.js';
import { MAX_TIMER_MS } from '../defaults.js';
import type { ByteStream, Reading, StreamReader } from './byte-stream.js';
import { Gathered } from './gathered.js';

/** What a scan makes of the bytes so far: the result, or how long a pause would end them (undefined: never). */
export type Verdict<T> = { readonly value: T } | { readonly quietMs?: number };

export interface ReadOptions<T> {
  /** Bytes that were read before. */
  readonly begin?: Buffer;
  /**
   * Looks at all bytes so far, after more `bytes`, after the `quiet` that it asked for, or at the `end`.
   * What it throws ends the reading. It limits the number of bytes itself.
   */
  readonly scan: (bytes: Buffer, after: 'bytes' | 'quiet' | 'end') => Verdict<T>;
  /** For all of it, whatever its pace, in ms. */
  readonly timeoutMs: number;
  readonly signal: Signal;
  /** The error after the timeout. */
  readonly late: (bytes: Buffer) => Error;
  /** The error when the peer ends or leaves too early. */
  readonly gone: (bytes: Buffer) => Error;
}

/** Reads from a stream without a reader until a scan has its result, and leaves the stream paused and without a reader. */
export function readUntil<T>(stream: ByteStream, options: ReadOptions<T>): Promise<T> {
  const { begin = NOTHING, scan, signal } = options;
  return new Promise<T>((resolve, reject) => {
    signal.throwIfAborted();
    const first = begin.length > 0 ? scan(begin, 'bytes') : {};
    // Often enough has come with what was read before: no timer and no reader for that.
    if ('value' in first) resolve(first.value);
    else new Read(stream, options, resolve, reject).start(begin, first.quietMs);
  });
}

const NOTHING = Buffer.alloc(0);

/** A class, not closures: a small reply has two of them, and collecting garbage is a tenth of its cost (measured). */
class Read<T> implements StreamReader {
  readonly #stream: ByteStream;
  readonly #options: ReadOptions<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;
  #gathered = new Gathered(NOTHING);
  #reading: Reading | undefined;
  #forgetClose: (() => void) | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #believed: NodeJS.Immediate | undefined;
  #expired: NodeJS.Immediate | undefined;

  constructor(
    stream: ByteStream,
    options: ReadOptions<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#stream = stream;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(begin: Buffer, quietMs: number | undefined): void {
    const { timeoutMs, signal } = this.#options;
    if (begin.length > 0) this.#gathered = new Gathered(begin);
    if (this.#stream.closed) return this.#gone();
    this.#deadline = setTimeout(expire<T>, Math.min(timeoutMs, MAX_TIMER_MS), this);
    if (quietMs !== undefined) this.#waitForQuiet(quietMs);
    this.#reading = this.#stream.attach(this);
    this.#forgetClose = this.#stream.onClose(this.#gone);
    signal.addEventListener('abort', this.#aborted, { once: true });
    this.#reading.resume();
  }

  take(chunk: Buffer): boolean {
    this.#gathered.add(chunk);
    return !this.#look('bytes');
  }

  end(): void {
    this.#look('end');
  }

  /** True once it is over. */
  #look(after: 'bytes' | 'quiet' | 'end'): boolean {
    clearTimeout(this.#quiet);
    clearImmediate(this.#believed);
    try {
      const verdict = this.#options.scan(this.#gathered.bytes, after);
      if ('value' in verdict) {
        this.#stop();
        this.#resolve(verdict.value);
        return true;
      }
      if (after === 'end') this.#gone();
      else if (verdict.quietMs !== undefined) this.#waitForQuiet(verdict.quietMs);
      return after === 'end';
    } catch (error) {
      this.#fail(error);
      return true;
    }
  }

  /** A busy process may be late to read what arrived long ago: quiet counts after it too. */
  #waitForQuiet(quietMs: number): void {
    const look = (): boolean => this.#look('quiet');
    this.#quiet = setTimeout(() => {
      this.#believed = setImmediate(() => (this.#believed = setImmediate(look)));
    }, quietMs);
  }

  /** Timers run before a poll: what arrived in time is read before the deadline counts, some of it in the turn after the poll. */
  expire(): void {
    const late = (): void => this.#fail(this.#options.late(this.#gathered.bytes));
    this.#expired = setImmediate(() => (this.#expired = setImmediate(late)));
  }

  readonly #gone = (): void => this.#fail(this.#options.gone(this.#gathered.bytes));

  readonly #aborted = (): void => this.#fail(this.#options.signal.reason);

  #fail(error: unknown): void {
    this.#stop();
    this.#reject(error);
  }

  #stop(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#quiet);
    clearImmediate(this.#believed);
    clearImmediate(this.#expired);
    this.#options.signal.removeEventListener('abort', this.#aborted);
    this.#reading?.detach();
    this.#forgetClose?.();
  }
}

function expire<T>(read: Read<T>): void {
  read.expire();
}
