import { ViaductError } from '../errors.js';
import { MESSAGE_BYTES, QUIET_AFTER_LINE_MS, QUIET_MS } from '../limits.js';
import type { Channel } from '../net/channel.js';
import { scanMessage } from '../wire/classic.js';

export interface MessageBytes {
  readonly message: Buffer;
  /** What the client sent after the message. */
  readonly rest: Buffer;
}

/**
 * Reads one classic message. It ends with an empty line or FIN, at once, or with quiet: 0.5 s after
 * text that ends in LF, 1 s after text that does not. Leaves the channel paused.
 *
 * @param timeoutMs for the whole message, whatever its pace
 * @throws ViaductError MESSAGE_TOO_LONG, MESSAGE_TIMEOUT or CLIENT_GONE; the signal's reason when it is aborted
 */
export function readMessage(channel: Channel, timeoutMs: number, signal: AbortSignal): Promise<MessageBytes> {
  return new Promise((resolve, reject) => {
    const { socket } = channel;
    let bytes: Buffer = Buffer.alloc(0);
    let quiet: NodeJS.Timeout | undefined;

    const stop = (): void => {
      clearTimeout(quiet);
      clearTimeout(deadline);
      channel.onEnd = (): void => {};
      socket.off('close', gone);
      signal.removeEventListener('abort', aborted);
      channel.pause();
    };
    const fail = (error: unknown): void => {
      stop();
      reject(error);
    };
    const whole = (): void => {
      stop();
      resolve({ message: bytes, rest: Buffer.alloc(0) });
    };
    const gone = (): void => {
      fail(
        new ViaductError('CLIENT_GONE', 'the client left before its message was whole', {
          cause: channel.error,
        }),
      );
    };
    const aborted = (): void => fail(signal.reason);
    const deadline = setTimeout(() => {
      const message = `the message was not whole within ${timeoutMs / 1000} s (${bytes.length} bytes had come)`;
      fail(new ViaductError('MESSAGE_TIMEOUT', message));
    }, timeoutMs);

    channel.consumer = (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      const scan = scanMessage(bytes);
      if (scan.ended) {
        stop();
        resolve(scan);
        return false;
      }
      if (bytes.length > MESSAGE_BYTES) {
        fail(new ViaductError('MESSAGE_TOO_LONG', `the message has more than ${MESSAGE_BYTES} bytes`));
        return false;
      }
      clearTimeout(quiet);
      quiet = setTimeout(whole, scan.endsWithLine ? QUIET_AFTER_LINE_MS : QUIET_MS);
      return true;
    };
    channel.onEnd = whole;
    socket.once('close', gone);
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    else channel.resume();
  });
}
