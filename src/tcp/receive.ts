import type { Signal } from '../signal.js';
import type { ByteStream } from './byte-stream.js';
import { Watchdog } from './watchdog.js';

export interface ReceiveOptions {
  /** Bytes that were read before. */
  readonly begin?: Buffer;
  /** Takes a chunk, whose memory is reused once the promise resolves; true if nothing more is wanted. */
  readonly take: (chunk: Buffer) => Promise<boolean>;
  /** Silence that is an error, in ms; counted only while no chunk is being taken. */
  readonly timeoutMs: number;
  readonly signal: Signal;
  /** The error after that silence. */
  readonly late: () => Error;
  /** The error when the peer resets the connection. */
  readonly gone: () => Error;
  /** The peer sent FIN although more was wanted: the error, if that is one. */
  readonly ended: () => Error | undefined;
  /** Called instead of an error, when nothing more is wanted or nothing more comes. */
  readonly end: () => void;
}

/**
 * Reads a stream, one chunk at a time and none while that is being taken, until nothing more is wanted or the peer
 * ends. After any error the stream is reset.
 */
export function receive(stream: ByteStream, options: ReceiveOptions): Promise<void> {
  const { take, signal } = options;
  return new Promise((resolve, reject) => {
    let taking = false;
    let isGone = false;
    let isOver = false;
    const cleanUp: (() => void)[] = [];
    const watchdog = new Watchdog(
      options.timeoutMs,
      () => (taking ? undefined : stream.received),
      () => fail(options.late()),
    );
    // What has arrived is taken to its end: it may have been all.
    const gone = (): void => {
      isGone = true;
      if (!taking) fail(options.gone());
    };
    cleanUp.push(stream.onClose(gone));
    // TypeScript does not see that calls change it.
    const isTaking = (): boolean => taking;
    const stop = (): void => {
      isOver = true;
      watchdog.stop();
      for (const act of cleanUp) act();
      signal.removeEventListener('abort', aborted);
    };
    const fail = (error: unknown): void => {
      stop();
      stream.reset();
      reject(error);
    };
    const succeed = (): void => {
      stop();
      options.end();
      resolve();
    };
    const aborted = (): void => fail(signal.reason);
    const ended = (): void => {
      // Node reports it while the last chunk is still being taken.
      if (taking) return;
      const error = options.ended();
      if (error === undefined) succeed();
      else fail(error);
    };
    const took = (satisfied: boolean): void => {
      taking = false;
      if (isOver) return;
      if (satisfied) succeed();
      else if (stream.ended) ended();
      else takeMore();
    };
    const takeMore = (): void => {
      reading.resume();
      // What had come before it closed is taken first.
      if (isGone && !isTaking() && !isOver) fail(options.gone());
    };
    const takeNext = (chunk: Buffer): boolean => {
      taking = true;
      take(chunk).then(took, fail);
      return false;
    };
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) return aborted();
    const reading = stream.attach({ take: takeNext, end: ended, keepsChunks: true });
    cleanUp.push(() => reading.detach());
    isGone = stream.closed;
    if (options.begin !== undefined && options.begin.length > 0) takeNext(options.begin);
    else takeMore();
  });
}
