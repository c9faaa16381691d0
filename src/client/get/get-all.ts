import { setMaxListeners } from 'node:events';
import { lstat, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { type ViaductError, asViaductError, systemCode } from '../../errors.js';
import { RETRIES, TRANSFERS } from '../../defaults.js';
import { visible } from '../../text.js';
import { encodeSegment } from '../../route/url.js';
import type { Entry } from '../../wire/http/listing.js';
import { type GetOptions, get } from './get.js';
import type { GetEvent } from './events.js';
import { listFolder } from '../listing.js';
import { localSegment } from '../../files/local-name.js';
import type { Location } from '../../route/location.js';
import { writeFailed, writing } from '../../files/target.js';
import { pause, pauseBefore } from './retry.js';
import type { Transferred } from './transfer.js';

/** Files that are fetched at once (`--transfers`), and folders inside each other. */
const TREE_DEPTH = 100;

/** Something to fetch: a file into a file, or a whole folder into a folder. */
export interface Order {
  readonly location: Location;
  readonly target: string;
  /** All of a folder; `location.path` ends with `/`. */
  readonly recursive: boolean;
}

/** Told how one file goes. */
export interface FileListener {
  readonly event: (event: GetEvent) => void;
  complete(result: Transferred): void;
  failed(error: ViaductError): void;
}

export interface GetAllOptions extends Omit<GetOptions, 'onEvent' | 'inTree'> {
  /** Files, and listings, that are fetched at once. @default 4 */
  readonly transfers?: number | undefined;
  /** A file begins, or fails before that; `target` is where it comes. */
  readonly onFile: (target: string) => FileListener;
  /** There are so many files more than was known, of so many bytes in all. */
  readonly onFound?: ((files: number, bytes: number) => void) | undefined;
}

/** What came of everything. */
export interface Totals {
  /** Files that came. */
  files: number;
  /** Their bytes that came over the route. */
  received: number;
  /** Files of a folder that were there already, with the same size and time. */
  skipped: number;
  failures: number;
  firstFailure: ViaductError | undefined;
}

/**
 * Fetches files and whole folders, several files at once. A file that fails is told, and the others go on;
 * but when the route itself is broken, its order ends.
 * @throws the signal's reason, if no file has been told to have failed by it
 */
export async function getAll(orders: readonly Order[], options: GetAllOptions): Promise<Totals> {
  const totals: Totals = { files: 0, received: 0, skipped: 0, failures: 0, firstFailure: undefined };
  const limit = pLimit(options.transfers ?? TRANSFERS);
  await Promise.all(orders.map((order) => new Fetching(options, limit, totals).run(order)));
  if (totals.failures === 0) options.signal?.throwIfAborted();
  return totals;
}

/** What becomes of one order. */
class Fetching {
  readonly #options: GetAllOptions;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #totals: Totals;
  /** Ends all that is under way and all that waits. */
  readonly #end = new AbortController();
  readonly #signal: AbortSignal;
  /** A listing has come, so the route is known to work. */
  #isReached = false;

  /** @param limit and totals are those of all orders */
  constructor(options: GetAllOptions, limit: ReturnType<typeof pLimit>, totals: Totals) {
    this.#options = options;
    this.#limit = limit;
    this.#totals = totals;
    this.#signal =
      options.signal === undefined ? this.#end.signal : AbortSignal.any([options.signal, this.#end.signal]);
    // Every transfer listens to it, however many there are: none of them leaks.
    setMaxListeners(0, this.#signal);
  }

  run({ location, target, recursive }: Order): Promise<void> {
    return recursive ? this.#folder(location, target, 0) : this.#file(location, target, undefined);
  }

  async #folder(location: Location, target: string, depth: number): Promise<void> {
    const found = await this.#limit(async () => {
      if (this.#signal.aborted) return [];
      try {
        if (depth > TREE_DEPTH)
          throw writeFailed(target, `more than ${TREE_DEPTH} folders inside each other`);
        const entries = await this.#list(location);
        await makeFolder(target, depth === 0);
        return entries;
      } catch (error) {
        this.#failed(target, asViaductError(error));
        return [];
      }
    });
    const files = found.filter((entry) => entry.kind === 'file');
    this.#options.onFound?.(
      files.length,
      files.reduce((sum, { size }) => sum + size, 0),
    );
    await Promise.all(found.map((entry) => this.#entry(location, target, entry, depth)));
  }

  async #entry(location: Location, folder: string, entry: Entry, depth: number): Promise<void> {
    let name: string;
    try {
      name = localSegment(entry.name);
    } catch (error) {
      return this.#failed(join(folder, visible(entry.name)), asViaductError(error));
    }
    const target = join(folder, name);
    const path = location.path + encodeSegment(entry.name);
    if (entry.kind === 'folder') await this.#folder({ ...location, path: `${path}/` }, target, depth + 1);
    else await this.#file({ ...location, path }, target, entry);
  }

  /** @param entry what a listing says of it, for a file of a folder */
  #file(location: Location, target: string, entry: (Entry & { kind: 'file' }) | undefined): Promise<void> {
    return this.#limit(async () => {
      if (this.#signal.aborted) return;
      if (entry !== undefined && (await this.#isThere(target, entry))) {
        this.#totals.skipped += 1;
        return;
      }
      const listener = this.#options.onFile(target);
      try {
        const result = await get(location, target, {
          ...this.#options,
          signal: this.#signal,
          inTree: entry !== undefined,
          onEvent: listener.event,
        });
        this.#totals.files += 1;
        this.#totals.received += result.received;
        listener.complete(result);
      } catch (error) {
        this.#failed(target, asViaductError(error), listener);
      }
    });
  }

  /** The same size and time say that it is the same; a link is never followed out of the folder. */
  async #isThere(target: string, { size, modified }: Entry & { kind: 'file' }): Promise<boolean> {
    const there = await lstat(target).catch(() => undefined);
    if (there?.isFile() !== true) return false;
    const isSame = there.size === size && seconds(there.mtime) === seconds(modified);
    return isSame || this.#options.noClobber === true;
  }

  /** A listing, asked for again if the connection breaks; but a wrong route is told at once. */
  async #list(location: Location): Promise<readonly Entry[]> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const entries = await listFolder(location, { ...this.#options, signal: this.#signal });
        this.#isReached = true;
        return entries;
      } catch (error) {
        const known = asViaductError(error);
        const mayPass = known.transient && this.#isReached;
        if (!mayPass || attempt >= (this.#options.retries ?? RETRIES)) throw known;
        await pause(pauseBefore(attempt), this.#signal);
      }
    }
  }

  #failed(target: string, error: ViaductError, listener?: FileListener): void {
    // What ends only because something else has failed is not told.
    if (this.#end.signal.aborted) return;
    this.#totals.failures += 1;
    this.#totals.firstFailure ??= error;
    if (error.transient) this.#end.abort(error);
    (listener ?? this.#options.onFile(target)).failed(error);
  }
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}

/** @param isTop it was named by the user, and may be a link to a folder */
async function makeFolder(path: string, isTop: boolean): Promise<void> {
  await writing(path, async () => {
    try {
      await mkdir(path, { recursive: isTop });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    const made = isTop ? await stat(path) : await lstat(path);
    if (!made.isDirectory()) throw writeFailed(path, 'it is there already, and not a folder');
  });
}
