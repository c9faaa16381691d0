import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { parseDictionary } from 'structured-headers';

import { type Field, type RequestHead, valuesOf } from '../../wire/http/head.js';
import { hasGrown } from './growth.js';
import { type ServedFile, versionOf } from './root.js';

/** A `HEAD` that wants a digest waits so long for it. */
const DIGEST_WAIT_MS = 5000;

/** Files up to this size are hashed without another thread, and before the reply: 0.2 ms (measured). */
export const DIGEST_AT_ONCE_BYTES = 256 * 1024;

/** Digests that are remembered, and digests that may be under way at once. */
const DIGESTS_KEPT = 1000;
export const DIGESTS_AT_ONCE = 2;
export const DIGESTS_QUEUED = 100;

/** True if a request asks for the SHA-256 of the whole file (RFC 9530 §4). */
export function wantsDigest(request: RequestHead): boolean {
  try {
    const wanted = parseDictionary(valuesOf(request.fields, 'want-repr-digest').join(', ')).get('sha-256');
    return wanted !== undefined && typeof wanted[0] === 'number' && wanted[0] > 0;
  } catch {
    return false; // RFC 9651 §4.2: a field that cannot be parsed is ignored.
  }
}

/** A SHA-256, in base64, as a field (RFC 9530 §3). */
export function digestField(digest: string): Field {
  return ['Repr-Digest', `sha-256=:${digest}:`];
}

/** SHA-256 of files, made on other threads, once for each version of a file, few at once. */
export class Digests {
  /** By version, the one used longest ago first. */
  readonly #known = new Map<string, string>();
  readonly #running = new Map<string, Promise<string | undefined>>();
  readonly #limit = pLimit(DIGESTS_AT_ONCE);
  readonly #workers = new Set<Worker>();
  #closed = false;

  /**
   * `Repr-Digest` (RFC 9530 §3), or `Retry-After` while it is not known.
   * @param version of the file that is asked for
   * @param reopen opens it again, for a thread that reads it for as long as it takes
   * @param wait whether the reply may wait for it, up to 5 s
   */
  async fields(version: string, reopen: () => Promise<ServedFile>, wait: boolean): Promise<Field[]> {
    const known = this.#known.get(version);
    if (known !== undefined) {
      this.#remember(version, known);
      return [digestField(known)];
    }
    const running = this.#running.get(version) ?? this.#start(version, reopen);
    const digest = wait ? await withinLimit(running) : undefined;
    return [digest === undefined ? ['Retry-After', '1'] : digestField(digest)];
  }

  /** Gives up what is under way, and what comes later. */
  close(): void {
    this.#closed = true;
    for (const worker of this.#workers) void worker.terminate();
  }

  async #start(version: string, reopen: () => Promise<ServedFile>): Promise<string | undefined> {
    if (this.#limit.pendingCount >= DIGESTS_QUEUED) return undefined;
    const running = this.#limit(() => this.#hashFile(version, reopen)).catch(() => undefined);
    this.#running.set(version, running);
    const digest = await running;
    this.#running.delete(version);
    if (digest !== undefined) this.#remember(version, digest);
    return digest;
  }

  /** Base64, or undefined if the file is another one by now, or became one while it was hashed. */
  async #hashFile(version: string, reopen: () => Promise<ServedFile>): Promise<string | undefined> {
    const file = await reopen();
    try {
      if (this.#closed || file.version !== version) return undefined;
      const digest =
        file.size <= DIGEST_AT_ONCE_BYTES
          ? await hashSmall(file)
          : await this.#hashOnThread(file.handle.fd, file.size);
      const now = versionOf(await file.handle.stat({ bigint: true }));
      return now === version || hasGrown(version, now) ? digest : undefined;
    } finally {
      await file.handle.close();
    }
  }

  /** Settles when the thread has ended, so that nothing uses the descriptor any more. */
  #hashOnThread(fd: number, size: number): Promise<string | undefined> {
    const worker = new Worker(new URL('digest-thread.js', import.meta.url), { workerData: { fd, size } });
    this.#workers.add(worker);
    return new Promise((resolve) => {
      let digest: string | undefined;
      worker.once('message', (answer: unknown) => {
        if (typeof answer === 'string') digest = answer;
      });
      worker.on('error', () => {}); // Without a message there is no digest.
      worker.once('exit', () => {
        this.#workers.delete(worker);
        resolve(digest);
      });
    });
  }

  #remember(version: string, digest: string): void {
    this.#known.delete(version);
    this.#known.set(version, digest);
    const [oldest] = this.#known.keys();
    if (this.#known.size > DIGESTS_KEPT && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** Base64, or undefined if the file has shrunk. To start a thread takes far longer than this. */
async function hashSmall({ handle, size }: ServedFile): Promise<string | undefined> {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size;) {
    const { bytesRead } = await handle.read(bytes, at, size - at, at);
    if (bytesRead === 0) return undefined;
    at += bytesRead;
  }
  return createHash('sha256').update(bytes).digest('base64');
}

function withinLimit(running: Promise<string | undefined>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), DIGEST_WAIT_MS);
    void running.then(resolve).finally(() => clearTimeout(timer));
  });
}
