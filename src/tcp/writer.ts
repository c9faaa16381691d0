import type { Signal } from '../signal.js';
import { ViaductError } from '../errors.js';
import type { ByteStream } from './byte-stream.js';
import { type Limit, tookNothing } from './live-limit.js';
import { Watchdog } from './watchdog.js';

/** Writes to a client that may leave, stall, or be cut off by a signal, as promises. One write at a time. */
export class StreamWriter {
  /** Bytes that the kernel has taken. */
  sent = 0;
  readonly #stream: ByteStream;
  readonly #watchdog: Watchdog;
  readonly #signal: Signal;
  readonly #forgetClose: () => void;
  #waiting: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(stream: ByteStream, stall: Limit, signal: Signal) {
    this.#stream = stream;
    this.#signal = signal;
    this.#watchdog = new Watchdog(
      stall,
      () => (this.#waiting ? stream.unsent : undefined),
      () => this.#fail(new ViaductError('STALLED', tookNothing(stall))),
    );
    this.#forgetClose = stream.onClose(this.#gone);
    signal.addEventListener('abort', this.#aborted);
    if (stream.closed) this.#gone();
    if (signal.aborted) this.#aborted();
  }

  /** @throws ViaductError STALLED or CLIENT_GONE; the signal's reason */
  async write(chunk: Uint8Array): Promise<void> {
    await this.#until((resolve) => {
      if (this.#stream.write(chunk, resolve)) resolve();
    });
    this.sent += chunk.length;
  }

  /** Queues FIN. @param last sent before it */
  async finish(last?: Uint8Array): Promise<void> {
    await this.#until((resolve) => this.#stream.finish(resolve, last));
    this.sent += last?.length ?? 0;
  }

  release(): void {
    this.#watchdog.stop();
    this.#forgetClose();
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
    this.#fail(new ViaductError('CLIENT_GONE', 'the client left', { cause: this.#stream.error }));
  };

  readonly #aborted = (): void => this.#fail(this.#signal.reason);
}
