import { createHash } from 'node:crypto';
import { hashPart } from './part.js';
import { PartHasher } from './part-hasher.js';
import type { HashPart } from './protocol.js';

/** A file is hashed in parts of at least this size: a message to another thread takes as long as hashing 100 KiB. */
export const HASH_PART_BYTES = 4 * 1024 * 1024;

/** The largest part, since nothing interrupts the hashing of a part: some tenths of a second. */
const HASH_PART_BYTES_MAX = 64 * 1024 * 1024;

/** Computes the SHA-256 of files while they are written, on one thread for all files. */
export class HashThread {
  readonly #hasher = new PartHasher();
  #nextFile = 0;

  /** Starts to hash an open file from its beginning. */
  follow(fd: number): GrowingHash {
    const file = this.#nextFile++;
    return new GrowingHash(
      fd,
      (part) => this.#hasher.hash({ ...part, file, fd }),
      () => this.#hasher.forget(file),
    );
  }

  /** Ends the thread. A pending {@link GrowingHash.digest} is rejected. */
  close(): Promise<void> {
    return this.#hasher.close();
  }
}

/** A part without its file. */
type Part = Omit<HashPart, 'file' | 'fd'>;

/** The hash of the contiguous beginning of one file. One part is hashed at a time; new bytes become the next part. */
export class GrowingHash {
  readonly #fd: number;
  readonly #hash: (part: Part) => Promise<string | undefined>;
  readonly #onClose: () => void;
  #written = 0;
  #requested = 0;
  #busy = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #pending: { resolve: (digest: string) => void; reject: (error: unknown) => void } | undefined;
  #onIdle: (() => void) | undefined;

  constructor(fd: number, hash: (part: Part) => Promise<string | undefined>, onClose: () => void) {
    this.#fd = fd;
    this.#hash = hash;
    this.#onClose = onClose;
  }

  /** The first `bytes` bytes of the file are written. */
  advance(bytes: number): void {
    this.#written = bytes;
    if (bytes - this.#requested >= HASH_PART_BYTES) this.#requestPart();
  }

  /** The digest of the bytes that were written, as base64. A small file is hashed on this thread. */
  async digest(): Promise<string> {
    if (this.#requested === 0 && this.#written < HASH_PART_BYTES) {
      const hash = createHash('sha256');
      hashPart(hash, this.#fd, 0, this.#written);
      return hash.digest('base64');
    }
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      if (this.#failure) reject(this.#failure.error);
      else this.#requestPart();
    });
  }

  /** Cancels the hash after the current part. The descriptor is no longer used when the promise resolves. */
  async close(): Promise<void> {
    this.#ended = true;
    if (this.#busy) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    this.#onClose();
  }

  #requestPart(): void {
    if (this.#busy || this.#ended || this.#failure) return;
    this.#busy = true;
    const from = this.#requested;
    const to = Math.min(this.#written, from + HASH_PART_BYTES_MAX);
    this.#requested = to;
    const last = this.#pending !== undefined && to === this.#written;
    this.#hash({ from, to, last }).then(this.#hashed, this.#failed);
  }

  readonly #hashed = (digest: string | undefined): void => {
    this.#becomeIdle();
    if (digest !== undefined) this.#pending?.resolve(digest);
    else if (this.#ended) this.#fail(new Error('the hash was cancelled'));
    else if (this.#pending) this.#requestPart();
    else this.advance(this.#written);
  };

  readonly #failed = (error: unknown): void => {
    this.#becomeIdle();
    this.#fail(error);
  };

  #becomeIdle(): void {
    this.#busy = false;
    this.#onIdle?.();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#pending?.reject(this.#failure.error);
  }
}
