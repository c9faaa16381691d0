import type { FileHandle } from 'node:fs/promises';
import { ViaductError, systemReason } from '../errors.js';
import { BUFFER_MAX } from '../limits.js';
import type { Channel } from '../net/channel.js';
import { Watchdog } from '../net/watchdog.js';
import type { ServedFile } from './root.js';

/**
 * Sends a file's bytes, closes the file and queues FIN. Exactly the size that the file had when it was opened: one that
 * has grown since is served as it was, one that has shrunk is a failure.
 *
 * @param onSent told the bytes that the kernel has taken, after each chunk
 * @throws ViaductError READ_FAILED, STALLED or CLIENT_GONE; the signal's reason when it is aborted
 */
export async function sendFile(
  file: ServedFile,
  channel: Channel,
  options: {
    readonly stallMs: number;
    readonly signal: AbortSignal;
    readonly onSent: (bytes: number) => void;
  },
): Promise<void> {
  const outlet = new Outlet(channel, options.stallMs, options.signal);
  try {
    try {
      await sendChunks(file, outlet, options.onSent);
    } finally {
      await file.handle.close();
    }
    await outlet.finish();
  } finally {
    outlet.release();
  }
}

/** Reads ahead by one chunk: two buffers, one on its way to the client while the other is filled. */
async function sendChunks(
  { handle, size }: ServedFile,
  outlet: Outlet,
  onSent: (bytes: number) => void,
): Promise<void> {
  const length = Math.min(BUFFER_MAX, size);
  let filling = Buffer.allocUnsafeSlow(length);
  let leaving = Buffer.allocUnsafeSlow(length);
  let sending: Promise<void> = Promise.resolve();
  for (let at = 0; at < size;) {
    const chunk = await readChunk(handle, filling, Math.min(length, size - at), at);
    await sending;
    [filling, leaving] = [leaving, filling];
    at += chunk.length;
    const sent = at;
    sending = outlet.write(chunk).then(() => onSent(sent));
    // Awaited in the next round or below; until then its failure is not "unhandled".
    sending.catch(() => {});
  }
  await sending;
}

async function readChunk(handle: FileHandle, buffer: Buffer, length: number, at: number): Promise<Buffer> {
  try {
    const { bytesRead } = await handle.read(buffer, 0, length, at);
    if (bytesRead > 0) return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw new ViaductError('READ_FAILED', `the file cannot be read: ${systemReason(error)}`, {
      cause: error,
    });
  }
  throw new ViaductError('READ_FAILED', `the file shrank to ${at} bytes while it was sent`);
}

/** Promised writes to a client that may leave, stall, or be cut off by a signal. */
class Outlet {
  readonly #channel: Channel;
  readonly #watchdog: Watchdog;
  readonly #signal: AbortSignal;
  #waiting: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(channel: Channel, stallMs: number, signal: AbortSignal) {
    this.#channel = channel;
    this.#signal = signal;
    this.#watchdog = new Watchdog(
      stallMs,
      () => (this.#waiting ? channel.unsent : undefined),
      () => this.#fail(new ViaductError('STALLED', `the client took nothing for ${stallMs / 1000} s`)),
    );
    channel.socket.on('close', this.#gone);
    signal.addEventListener('abort', this.#aborted);
    if (channel.socket.destroyed) this.#gone();
    if (signal.aborted) this.#aborted();
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#until((resolve) => {
      if (this.#channel.write(chunk, resolve)) resolve();
    });
  }

  finish(): Promise<void> {
    return this.#until((resolve) => this.#channel.finish(resolve));
  }

  release(): void {
    this.#watchdog.stop();
    this.#channel.socket.off('close', this.#gone);
    this.#signal.removeEventListener('abort', this.#aborted);
  }

  async #until(act: (resolve: () => void) => void): Promise<void> {
    if (this.#failure) throw this.#failure.error;
    await new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      act(resolve);
    });
    this.#waiting = undefined;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#waiting?.reject(this.#failure.error);
  }

  readonly #gone = (): void => {
    this.#fail(new ViaductError('CLIENT_GONE', 'the client left', { cause: this.#channel.error }));
  };

  readonly #aborted = (): void => this.#fail(this.#signal.reason);
}
