import type { Signal } from '../../../signal.js';
import type { EntryInfo } from './entry-info.js';

/** Names of entries. */
export interface FoldersAndFiles {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/** Entries whose size and time are read in a turn, and sent in one piece: about half a millisecond of the main thread. */
export const BATCH = 32;

/** Of these so many at once: half of the threads that Node has for it, so that a file system that hangs leaves some. */
const STATS_AT_ONCE = 2;

/** Does something for some entries, few at once. @returns the results, in their order */
export async function forEach<T, U>(entries: readonly T[], act: (entry: T) => Promise<U>): Promise<U[]> {
  const results: U[] = [];
  const left = entries.entries();
  const lane = async (): Promise<void> => {
    for (const [index, entry] of left) results[index] = await act(entry);
  };
  await Promise.all(Array.from({ length: STATS_AT_ONCE }, lane));
  return results;
}

/**
 * Sizes and times of entries, to sort by. All who need them read them together, a batch after the other, as long as one of
 * them is there.
 */
export class Facts {
  readonly #names: FoldersAndFiles;
  /** Of the folders, then of the files. */
  readonly #sizes: Float64Array;
  readonly #times: Float64Array;
  #next = 0;
  #readAt: number | undefined;

  constructor(names: FoldersAndFiles) {
    this.#names = names;
    const count = names.folders.length + names.files.length;
    this.#sizes = new Float64Array(count);
    this.#times = new Float64Array(count);
  }

  /** Since the last one was read; 0 before. */
  get ageMs(): number {
    return this.#readAt === undefined ? 0 : performance.now() - this.#readAt;
  }

  /** Bytes of a file. @param index among the files */
  size(index: number): number {
    return this.#sizes[this.#names.folders.length + index] ?? 0;
  }

  /** Milliseconds since 1970. @param index among the folders or the files */
  time(of: keyof FoldersAndFiles, index: number): number {
    return this.#times[of === 'folders' ? index : this.#names.folders.length + index] ?? 0;
  }

  /**
   * Reads what is still to be read.
   * @param inTurn runs a batch when it is its turn
   * @throws the signal's reason
   */
  async read(
    infoOf: (name: string) => Promise<EntryInfo>,
    inTurn: (batch: () => Promise<void>) => Promise<void>,
    signal: Signal,
  ): Promise<void> {
    while (this.#readAt === undefined) {
      signal.throwIfAborted();
      await inTurn(() => this.#readBatch(infoOf));
    }
  }

  async #readBatch(infoOf: (name: string) => Promise<EntryInfo>): Promise<void> {
    const from = this.#next;
    this.#next = Math.min(from + BATCH, this.#sizes.length);
    const indices = Array.from({ length: this.#next - from }, (_, index) => from + index);
    await forEach(indices, async (index) => {
      const name = this.#names.folders[index] ?? this.#names.files[index - this.#names.folders.length] ?? '';
      const info = await infoOf(name).catch(() => undefined);
      this.#sizes[index] = info?.size ?? 0;
      this.#times[index] = info?.mtimeMs ?? 0;
    });
    if (this.#next === this.#sizes.length) this.#readAt ??= performance.now();
  }
}
