import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';

import { hashPart } from './part.js';

/** A file is hashed in parts of at least this size: to ask another thread takes as long as to hash 100 KiB. */
export const HASH_PART_BYTES = 4 * 1024 * 1024;

/** The most of a file that is hashed at one go, since nothing interrupts it: some tenths of a second. */
const HASH_PART_BYTES_MAX = 64 * 1024 * 1024;

/** One more part of a file. */
export interface HashRequest {
  readonly file: number;
  readonly fd: number;
  readonly from: number;
  readonly to: number;
  /** Nothing more follows: the digest is wanted. */
  readonly last: boolean;
}

export interface HashAnswer {
  readonly file: number;
  /** Base64, after the last part. */
  readonly digest?: string;
  readonly error?: string;
}

/** SHA-256 of files while they are written, on one other thread for all of them. */
export class HashThread {
  readonly #files = new Map<number, GrowingHash>();
  #worker: Worker | undefined;
  #next = 0;

  /** Starts to hash an open file, from its beginning. */
  follow(fd: number): GrowingHash {
    const file = this.#next++;
    const hash = new GrowingHash(
      fd,
      (part) => this.#post({ ...part, file, fd }),
      () => this.#files.delete(file),
    );
    this.#files.set(file, hash);
    return hash;
  }

  /** Ends the thread. Whoever waits for a digest gets an error. */
  async close(): Promise<void> {
    this.#fail(new Error('the hashing thread was closed'));
    await this.#worker?.terminate();
  }

  #post(request: HashRequest): void {
    this.#worker ??= this.#start();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a Worker, not a window
    this.#worker.postMessage(request);
  }

  #start(): Worker {
    const worker = new Worker(new URL('worker.js', import.meta.url));
    worker.on('message', (answer: HashAnswer) => this.#files.get(answer.file)?.answered(answer));
    worker.on('error', (error) => {
      this.#worker = undefined;
      this.#fail(error);
    });
    return worker;
  }

  #fail(error: Error): void {
    for (const [file, hash] of this.#files) hash.answered({ file, error: String(error) });
  }
}

/** The hash of one file that grows. One part is under way at a time; what is written meanwhile is the next. */
export class GrowingHash {
  readonly #fd: number;
  readonly #post: (part: Omit<HashRequest, 'file' | 'fd'>) => void;
  readonly #done: () => void;
  #written = 0;
  #asked = 0;
  #busy = false;
  #ended = false;
  #failure: Error | undefined;
  #waiting: { resolve: (digest: string) => void; reject: (error: Error) => void } | undefined;
  #idle: (() => void) | undefined;

  constructor(fd: number, post: (part: Omit<HashRequest, 'file' | 'fd'>) => void, done: () => void) {
    this.#fd = fd;
    this.#post = post;
    this.#done = done;
  }

  /** The file has `bytes` bytes by now. */
  advance(bytes: number): void {
    this.#written = bytes;
    if (bytes - this.#asked >= HASH_PART_BYTES) this.#ask();
  }

  /** Base64 of all that was written. A small file is not worth another thread. */
  async digest(): Promise<string> {
    if (this.#asked === 0 && this.#written < HASH_PART_BYTES) {
      const hash = createHash('sha256');
      hashPart(hash, this.#fd, 0, this.#written);
      return hash.digest('base64');
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#failure) reject(this.#failure);
      else this.#ask();
    });
  }

  /** Gives it up, after the part that is under way. The descriptor is not used any more when it resolves. */
  async close(): Promise<void> {
    this.#ended = true;
    if (this.#busy) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#done();
  }

  /** The thread is done with a part. */
  answered({ digest, error }: HashAnswer): void {
    this.#busy = false;
    this.#idle?.();
    const failure = error ?? (this.#ended && digest === undefined ? 'the hash was given up' : undefined);
    if (failure !== undefined) {
      this.#failure ??= new Error(failure);
      this.#waiting?.reject(this.#failure);
    } else if (digest !== undefined) this.#waiting?.resolve(digest);
    else if (this.#waiting) this.#ask();
    else this.advance(this.#written);
  }

  #ask(): void {
    if (this.#busy || this.#ended || this.#failure) return;
    this.#busy = true;
    const from = this.#asked;
    const to = Math.min(this.#written, from + HASH_PART_BYTES_MAX);
    this.#asked = to;
    this.#post({ from, to, last: this.#waiting !== undefined && to === this.#written });
  }
}
