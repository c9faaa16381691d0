import type { Channel } from './stream.js';
import { Watchdog } from './watchdog.js';

export interface ReceiveOptions {
  /** What was read before, if anything was. */
  readonly begin?: Buffer;
  /** Takes a chunk, whose memory is reused once the promise resolves; true if nothing more is wanted. */
  readonly take: (chunk: Buffer) => Promise<boolean>;
  /** Silence that is too long, in ms; it counts only while nothing is being taken. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The error after that silence. */
  readonly late: () => Error;
  /** The error when the peer resets the connection. */
  readonly gone: () => Error;
  /** The peer sent FIN although more was wanted: the error, if that is one. */
  readonly ended: () => Error | undefined;
}

/**
 * Reads a paused channel, one chunk at a time and no further one while that is being taken, until nothing
 * more is wanted or the peer ends. The channel is finished then, and reset after any error.
 */
export function receive(channel: Channel, options: ReceiveOptions): Promise<void> {
  const { take, signal } = options;
  return new Promise((resolve, reject) => {
    const { socket } = channel;
    let taking = false;
    let isGone = false;
    const watchdog = new Watchdog(
      options.timeoutMs,
      () => (taking ? undefined : channel.received),
      () => fail(options.late()),
    );
    const stop = (): void => {
      watchdog.stop();
      channel.onEnd = (): void => {};
      channel.consumer = (): boolean => true;
      socket.off('close', gone);
      signal.removeEventListener('abort', aborted);
    };
    const fail = (error: unknown): void => {
      stop();
      channel.reset();
      reject(error);
    };
    const succeed = (): void => {
      stop();
      channel.finish(() => socket.destroy());
      resolve();
    };
    // What has come is taken to its end: it may have been all.
    const gone = (): void => {
      isGone = true;
      if (!taking) fail(options.gone());
    };
    const aborted = (): void => fail(signal.reason);
    const ended = (): void => {
      const error = options.ended();
      if (error === undefined) succeed();
      else fail(error);
    };
    const took = (satisfied: boolean): void => {
      taking = false;
      if (satisfied) succeed();
      else if (isGone) fail(options.gone());
      else if (socket.readableEnded) ended();
      else channel.resume();
    };
    const takeNext = (chunk: Buffer): void => {
      taking = true;
      take(chunk).then(took, fail);
    };
    socket.once('close', gone);
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) return aborted();
    channel.consumer = (chunk) => {
      takeNext(chunk);
      return false;
    };
    channel.onEnd = ended;
    isGone = socket.destroyed;
    if (options.begin !== undefined && options.begin.length > 0) takeNext(options.begin);
    else if (isGone) gone();
    else if (socket.readableEnded) ended();
    else channel.resume();
  });
}
