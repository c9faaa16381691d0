import { ViaductError } from '../errors.js';
import type { Channel } from './stream.js';
import { Watchdog } from './watchdog.js';

/** Promised writes to a client that may leave, stall, or be cut off by a signal. One write at a time. */
export class Outlet {
  /** Bytes that the kernel has taken. */
  sent = 0;
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

  /** @throws ViaductError STALLED or CLIENT_GONE; the signal's reason */
  async write(chunk: Uint8Array): Promise<void> {
    await this.#until((resolve) => {
      if (this.#channel.write(chunk, resolve)) resolve();
    });
    this.sent += chunk.length;
  }

  /** Queues FIN. */
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
