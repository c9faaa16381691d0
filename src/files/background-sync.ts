/** The disk is asked to write after this many new bytes. */
const SYNC_BYTES = 64 * 1024 * 1024;

/** Syncs a file to the disk while more data arrives, so that the final sync has little left to do. */
export class BackgroundSync {
  readonly #sync: () => Promise<void>;
  /** Bytes of the file when the last sync started. */
  #syncedBytes = 0;
  #running: Promise<void> | undefined;
  /** The first error. Linux reports a disk error only once (fsync(2)), so it is kept. */
  #failure: { readonly error: unknown } | undefined;

  /** @param sync writes everything to the disk */
  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** The file has `bytes` bytes now. Starts a sync if at least `threshold` bytes are new and none is running. */
  advance(bytes: number, threshold = SYNC_BYTES): void {
    if (this.#running || bytes - this.#syncedBytes < threshold) return;
    this.#syncedBytes = bytes;
    this.#running = this.#run();
  }

  /** Waits for a sync that is running. */
  async settle(): Promise<void> {
    await this.#running;
  }

  /** The file is written from its beginning again. */
  async restart(): Promise<void> {
    await this.settle();
    this.#syncedBytes = 0;
  }

  /** @throws the error of any sync so far */
  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }

  async #run(): Promise<void> {
    try {
      await this.#sync();
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#running = undefined;
  }
}
