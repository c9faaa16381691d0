import type { ViaductError } from '../../errors.js';
import type { OriginFile } from './origin-file.js';
import { type Retry, RetryLimit, type RetryOptions } from './retry.js';

/** Changes of the file that one download survives. */
const CHANGES = 5;

/** Counts the attempts of one download without progress, and the changes of the file. */
export class Attempts {
  readonly #limit: RetryLimit;
  /** The most bytes that were ever saved of this version: only more than that is progress. */
  #best: number;
  /** The running attempt began with another version: what it saves is no progress. */
  #isRestart = false;
  #changes = 0;

  /** @param bytes saved before the first attempt */
  constructor(bytes: number, options: RetryOptions) {
    this.#best = bytes;
    this.#limit = new RetryLimit(options);
  }

  get changes(): number {
    return this.#changes;
  }

  /** The running attempt began with another version, and not for the first time. */
  get restartsAgain(): boolean {
    return this.#isRestart && this.#changes > 1;
  }

  begin(): void {
    this.#isRestart = false;
  }

  /** The file has another version. @returns false if it has changed too often */
  change(): boolean {
    if (this.#changes <= CHANGES) this.#changes += 1;
    // What failed before was about another file. Further changes do not prolong the time.
    if (this.#changes === 1) this.#limit.restartTime();
    return this.#changes <= CHANGES;
  }

  /** The file has another version. @throws ViaductError CHANGED if it has changed too often */
  noteChange(origin: OriginFile): void {
    if (!this.change()) throw this.keepsChanging(origin);
  }

  keepsChanging(origin: OriginFile, cause?: ViaductError): ViaductError {
    const what = `has yet another version of the file: it changed ${this.#changes} times during the download`;
    return origin.error('CHANGED', what, cause);
  }

  /** The running attempt begins with another version. */
  restart(): void {
    this.#best = 0;
    this.#isRestart = true;
  }

  /**
   * The attempt has failed.
   * @param bytes saved so far
   * @returns undefined if there is no further attempt
   */
  next(bytes: number): Retry | undefined {
    const hasProgress = bytes > this.#best && !this.#isRestart;
    this.#best = Math.max(this.#best, bytes);
    return this.#limit.next(hasProgress);
  }
}
