import type { Signal } from '../signal.js';
import type { ByteStream } from './byte-stream.js';

/** Lingering close (RFC 9112 §9.6): how long, and how much, a client's late input is read and dropped. */
export const LINGER_MS = 5000;
export const LINGER_BYTES = 64 * 1024;

/**
 * Closes a stream whose FIN is queued. Closing a socket with unread input makes the kernel send RST, which destroys data
 * on its way to the peer. So the peer's late input is read and dropped until its FIN, until there is too much of it,
 * until `limitMs` is over, or until the signal; then the socket is closed.
 */
export function lingeringClose(stream: ByteStream, signal: Signal, limitMs = LINGER_MS): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) return resolve();
    const close = (): void => stream.close();
    const timer = setTimeout(close, limitMs);
    const enough = stream.received + LINGER_BYTES;
    const reading = stream.attach({
      take: () => {
        if (stream.received > enough) close();
        return true;
      },
      end: close,
    });
    signal.addEventListener('abort', close, { once: true });
    stream.onClose(() => {
      clearTimeout(timer);
      reading.detach();
      signal.removeEventListener('abort', close);
      resolve();
    });
    if (signal.aborted) close();
    else reading.resume();
  });
}
