import { lstat } from 'node:fs/promises';
import { systemCode } from '../errors.js';
import { fsPath } from '../route/name.js';
import { type StateFile, pathOfStateFile, readStateFile } from './state-file.js';

/**
 * A change within one tick of the file system's clock leaves the time as it is. FAT has the longest tick. A version so young
 * is read again the next time.
 */
const TICK_MS = 2000;

interface Version {
  /** Differs after each change: a new file has another number, an edited one another time or size. */
  readonly text: string;
  /** A further change would show in the text. */
  readonly isSettled: boolean;
}

/** A file of the state folder for a process that needs its content often: it is read again only after a change. */
export class WatchedStateFile<T> {
  readonly #folder: string;
  readonly #file: StateFile<T>;
  #last: { readonly version: string; readonly content: T } | undefined;
  /** What the last look has found, while it is young. */
  #fresh: { readonly until: number; readonly result: Promise<T> } | undefined;
  readonly #maxAgeMs: number;
  #look: Promise<T> | undefined;
  #nextLook: Promise<T> | undefined;

  /**
   * @param file better of `parsedOnce`: it may be read again without a change
   * @param maxAgeMs how long what a look has found, an error too, is taken for the present content
   */
  constructor(folder: string, file: StateFile<T>, maxAgeMs = 0) {
    this.#maxAgeMs = maxAgeMs;
    this.#folder = folder;
    this.#file = file;
  }

  /**
   * The content as it is now, or later: what was changed before the call, and more than `maxAgeMs` ago, is seen. Calls at the
   * same time share a look at the file, so many cost as much as two.
   * @throws ViaductError READ_FAILED as `readStateFile`
   */
  current(): Promise<T> {
    if (this.#fresh !== undefined && performance.now() < this.#fresh.until) return this.#fresh.result;
    const running = this.#look;
    if (running === undefined) return this.#begin();
    // That look may have begun before a change.
    this.#nextLook ??= running.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#nextLook;
  }

  #begin(): Promise<T> {
    this.#nextLook = undefined;
    const begunAt = performance.now();
    const look = this.#read().finally(() => {
      this.#fresh = { until: begunAt + this.#maxAgeMs, result: look };
      if (this.#look === look) this.#look = undefined;
    });
    this.#look = look;
    return look;
  }

  async #read(): Promise<T> {
    // Taken before the file is read: if it changes in between, it is read again the next time.
    const { text, isSettled } = await versionOf(pathOfStateFile(this.#folder, this.#file));
    if (this.#last?.version === text) return this.#last.content;
    this.#last = undefined;
    const content = await readStateFile(this.#folder, this.#file);
    if (isSettled) this.#last = { version: text, content };
    return content;
  }
}

async function versionOf(path: string): Promise<Version> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = await lstat(fsPath(path), { bigint: true });
    // A time in the future tells nothing of the clock that made it.
    const isSettled = Math.abs(Date.now() - Number(ctimeMs)) > TICK_MS;
    return { text: [dev, ino, size, mtimeNs, ctimeNs].join(' '), isSettled };
  } catch (error) {
    // Reading reports why, if it fails too.
    return { text: String(systemCode(error)), isSettled: systemCode(error) === 'ENOENT' };
  }
}
