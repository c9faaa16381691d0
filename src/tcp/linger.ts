import type { Channel } from './stream.js';

/** Lingering close (RFC 9112 §9.6): how long, and how much, a client's late input is read and dropped. */
export const LINGER_MS = 5000;
export const LINGER_BYTES = 64 * 1024;

/**
 * Lingering close (RFC 9112 §9.6), after our FIN is queued: closing a socket with unread input makes
 * the kernel send RST, which destroys data on its way to the peer. So the peer's late input is read
 * and dropped until its FIN, until it is too long or too much, or until the signal; only then is the
 * socket closed.
 */
export function lingeringClose(channel: Channel, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const { socket } = channel;
    if (socket.destroyed) return resolve();
    if (signal.aborted) socket.destroy();
    const close = (): void => void socket.destroy();
    const timer = setTimeout(close, LINGER_MS);
    const enough = channel.received + LINGER_BYTES;
    socket.once('end', close);
    signal.addEventListener('abort', close, { once: true });
    socket.once('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', close);
      resolve();
    });
    channel.consumer = () => {
      if (channel.received > enough) close();
      return true;
    };
    if (socket.readableEnded) close();
    else channel.resume();
  });
}
