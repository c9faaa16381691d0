import type { Signal } from '../signal.js';
import { MAX_TIMER_MS } from '../defaults.js';
import type { ByteStream } from './byte-stream.js';
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
export async function readUntil<T>(stream: ByteStream, options: ReadOptions<T>): Promise<T> {
  const { begin = Buffer.alloc(0), scan, signal } = options;
  signal.throwIfAborted();
  const first = begin.length > 0 ? scan(begin, 'bytes') : {};
  // Often enough has come with what was read before: no timer and no reader for that.
  return 'value' in first ? first.value : readOn(stream, options, begin, first.quietMs);
}

function readOn<T>(
  stream: ByteStream,
  options: ReadOptions<T>,
  begin: Buffer,
  quietMs: number | undefined,
): Promise<T> {
  const { scan, signal } = options;
  return new Promise<T>((resolve, reject) => {
    const gathered = new Gathered(begin);
    let quiet: NodeJS.Timeout | undefined;
    let believed: NodeJS.Immediate | undefined;
    let expired: NodeJS.Immediate | undefined;
    const cleanUp: (() => void)[] = [];

    const stop = (): void => {
      clearTimeout(quiet);
      clearImmediate(believed);
      clearImmediate(expired);
      clearTimeout(deadline);
      signal.removeEventListener('abort', aborted);
      for (const act of cleanUp) act();
    };
    const fail = (error: unknown): void => {
      stop();
      reject(error);
    };
    const gone = (): void => fail(options.gone(gathered.bytes));
    const aborted = (): void => fail(signal.reason);
    const late = (): void => fail(options.late(gathered.bytes));
    /** Timers run before a poll: what arrived in time is read before the deadline counts, some of it in the turn after the poll. */
    const expire = (): void => {
      expired = setImmediate(() => (expired = setImmediate(late)));
    };
    const deadline = setTimeout(expire, Math.min(options.timeoutMs, MAX_TIMER_MS));
    /** A busy process may be late to read what arrived long ago: quiet counts after it too. */
    const believe = (): void => {
      believed = setImmediate(() => (believed = setImmediate(look, 'quiet')));
    };
    /** True once it is over. */
    const look = (after: 'bytes' | 'quiet' | 'end'): boolean => {
      clearTimeout(quiet);
      clearImmediate(believed);
      try {
        const verdict = scan(gathered.bytes, after);
        if ('value' in verdict) {
          stop();
          resolve(verdict.value);
          return true;
        }
        if (after === 'end') fail(options.gone(gathered.bytes));
        else if (verdict.quietMs !== undefined) quiet = setTimeout(believe, verdict.quietMs);
        return after === 'end';
      } catch (error) {
        fail(error);
        return true;
      }
    };

    if (stream.closed) return gone();
    if (quietMs !== undefined) quiet = setTimeout(believe, quietMs);
    const reading = stream.attach({
      take: (chunk) => {
        gathered.add(chunk);
        return !look('bytes');
      },
      end: () => void look('end'),
    });
    cleanUp.push(() => reading.detach(), stream.onClose(gone));
    signal.addEventListener('abort', aborted, { once: true });
    reading.resume();
  });
}
