import { Worker } from 'node:worker_threads';
import type { HashAnswer, HashOrder, HashPart, HashWorkerStart } from './protocol.js';

/** A thread that is to end does so after a part, some tenths of a second; a file system that hangs keeps it. */
const CLOSE_MS = 5000;

interface Waiting {
  readonly resolve: (digest: string | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** Hashes parts of files on one thread, in the order in which they are requested. It starts with the first part. */
export class PartHasher {
  readonly #waiting = new Map<number, Waiting>();
  readonly #start: HashWorkerStart;
  #worker: Worker | undefined;
  #closed = false;

  constructor(start: HashWorkerStart = {}) {
    this.#start = start;
  }

  /**
   * Adds a part to the SHA-256 of a file. A file has one part under way at a time.
   * @returns the digest as base64 after the last part, else undefined
   * @throws Error if the file cannot be read or was truncated, or if the thread ended; its hash is then forgotten
   */
  hash(part: HashPart): Promise<string | undefined> {
    if (this.#closed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      this.#waiting.set(part.file, { resolve, reject });
      this.#post(part);
    });
  }

  /** Frees the hash of a file of which no further part comes. */
  forget(file: number): void {
    if (this.#worker) this.#post({ forget: file });
  }

  /** Ends the thread after the part that is under way; when the promise resolves, no descriptor is in use. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#closed = true;
    if (worker !== undefined) {
      // Not terminate() at once: a thread that is in native code (koffi) would take the process with it (measured).
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      worker.postMessage({ close: true } satisfies HashOrder);
      const late = setTimeout(() => void worker.terminate(), CLOSE_MS);
      await exited;
      clearTimeout(late);
    }
    this.#fail(closedError());
  }

  #post(order: HashOrder): void {
    this.#worker ??= this.#startWorker();
    this.#worker.postMessage(order);
  }

  #startWorker(): Worker {
    const worker = new Worker(new URL('worker.js', import.meta.url), { workerData: this.#start });
    worker.on('message', ({ file, digest, error }: HashAnswer) => {
      const waiting = this.#waiting.get(file);
      this.#waiting.delete(file);
      if (error === undefined) waiting?.resolve(digest);
      else waiting?.reject(new Error(error));
    });
    worker.on('error', (error) => {
      this.#worker = undefined;
      this.#fail(error);
    });
    return worker;
  }

  #fail(error: Error): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
  }
}

function closedError(): Error {
  return new Error('the hashing thread was closed');
}
