import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';

import { hashPart } from './part.js';

/** A file is hashed in parts of at least this size: a message to another thread takes as long as hashing 100 KiB. */
export const HASH_PART_BYTES = 4 * 1024 * 1024;

/** The largest part, since nothing interrupts the hashing of a part: some tenths of a second. */
const HASH_PART_BYTES_MAX = 64 * 1024 * 1024;

/** The next part of a file. */
export interface HashRequest {
  readonly file: number;
  readonly fd: number;
  readonly from: number;
  readonly to: number;
  /** The part is the last one: the answer contains the digest. */
  readonly last: boolean;
}

export interface HashAnswer {
  readonly file: number;
  /** SHA-256 as base64, after the last part. */
  readonly digest?: string;
  readonly error?: string;
}

/** Computes the SHA-256 of files while they are written, on one thread for all files. */
export class HashThread {
  readonly #files = new Map<number, GrowingHash>();
  #worker: Worker | undefined;
  #nextFile = 0;

  /** Starts to hash an open file from its beginning. */
  follow(fd: number): GrowingHash {
    const file = this.#nextFile++;
    const hash = new GrowingHash(
      fd,
      (part) => this.#post({ ...part, file, fd }),
      () => this.#files.delete(file),
    );
    this.#files.set(file, hash);
    return hash;
  }

  /** Ends the thread. A pending {@link GrowingHash.digest} is rejected. */
  async close(): Promise<void> {
    this.#fail(new Error('the hashing thread was closed'));
    await this.#worker?.terminate();
  }

  #post(request: HashRequest): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(request);
  }

  #start(): Worker {
    const worker = new Worker(new URL('worker.js', import.meta.url));
    worker.on('message', (answer: HashAnswer) => this.#files.get(answer.file)?.onAnswer(answer));
    worker.on('error', (error) => {
      this.#worker = undefined;
      this.#fail(error);
    });
    return worker;
  }

  #fail(error: Error): void {
    for (const [file, hash] of this.#files) hash.onAnswer({ file, error: String(error) });
  }
}

/** The hash of the contiguous beginning of one file. One part is hashed at a time; new bytes become the next part. */
export class GrowingHash {
  readonly #fd: number;
  readonly #post: (part: Omit<HashRequest, 'file' | 'fd'>) => void;
  readonly #onClose: () => void;
  #written = 0;
  #requested = 0;
  #busy = false;
  #ended = false;
  #failure: Error | undefined;
  #pending: { resolve: (digest: string) => void; reject: (error: Error) => void } | undefined;
  #onIdle: (() => void) | undefined;

  constructor(fd: number, post: (part: Omit<HashRequest, 'file' | 'fd'>) => void, onClose: () => void) {
    this.#fd = fd;
    this.#post = post;
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
      if (this.#failure) reject(this.#failure);
      else this.#requestPart();
    });
  }

  /** Cancels the hash after the current part. The descriptor is no longer used when the promise resolves. */
  async close(): Promise<void> {
    this.#ended = true;
    if (this.#busy) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    this.#onClose();
  }

  /** The thread has hashed a part. */
  onAnswer({ digest, error }: HashAnswer): void {
    this.#busy = false;
    this.#onIdle?.();
    const failure = error ?? (this.#ended && digest === undefined ? 'the hash was cancelled' : undefined);
    if (failure !== undefined) {
      this.#failure ??= new Error(failure);
      this.#pending?.reject(this.#failure);
    } else if (digest !== undefined) this.#pending?.resolve(digest);
    else if (this.#pending) this.#requestPart();
    else this.advance(this.#written);
  }

  #requestPart(): void {
    if (this.#busy || this.#ended || this.#failure) return;
    this.#busy = true;
    const from = this.#requested;
    const to = Math.min(this.#written, from + HASH_PART_BYTES_MAX);
    this.#requested = to;
    this.#post({ from, to, last: this.#pending !== undefined && to === this.#written });
  }
}
