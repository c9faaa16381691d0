import type { Dirent } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { ViaductError } from '../../errors.js';
import { fsPath, nameOfBytes } from '../../route/name.js';
import type { Omitted } from '../../wire/http/listing.js';
import type { Root, ServedFolder } from './root.js';
import { Slices, sortInSlices } from './slices.js';

/** Folders that are read at once. */
const READ_AT_ONCE = 2;

/** Pieces of listings that are put together at once. */
const BATCHES_AT_ONCE = 1;

/** Listings on their way to clients: in all, and to one client. */
const LISTINGS = 512;
const LISTINGS_PER_CLIENT = 64;

/** Names that are held for listings on their way, about 60 bytes each, before a further folder is refused. */
const NAMES_HELD = 2_000_000;

/** Names that are kept for the next listing, and for how long. */
const NAMES_KEPT = 300_000;
const KEPT_MS = 10_000;

/** A change within this time after another one may leave the folder's times as they are. */
const TICK_MS = 100;

/** The names in a folder, sorted. Only names: 100,000 of them are to cost little, so no object is kept for each. */
export interface Names {
  readonly folders: readonly string[];
  readonly files: readonly string[];
  readonly omitted: Omitted;
}

interface Shared {
  readonly names: Promise<Names>;
  users: number;
  count: number;
  /** The same names would be found again as long as the folder's version is the same. */
  isStable: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Names that a listing uses until it is released. */
export interface HeldNames {
  readonly names: Names;
  readonly release: () => void;
}

/** Reads folders: once for each version and all who ask, few at once, and in slices that leave the event loop free. */
export class FolderNames {
  readonly #shared = new Map<string, Shared>();
  readonly #users = new Map<string, number>();
  readonly #reading = pLimit(READ_AT_ONCE);
  readonly #batches = pLimit(BATCHES_AT_ONCE);
  readonly #maxHeld: number;
  #listings = 0;

  /** @param maxHeld names that are held for listings on their way, before a further folder is refused */
  constructor(maxHeld = NAMES_HELD) {
    this.#maxHeld = maxHeld;
  }

  /**
   * The names in a folder that are served.
   * @param name of the folder, relative to the root; empty for the root
   * @param client the network of the client
   * @throws ViaductError UNAVAILABLE if there are too many listings
   */
  async hold(folder: ServedFolder, name: string, root: Root, client: string): Promise<HeldNames> {
    const users = this.#users.get(client) ?? 0;
    if (this.#listings >= LISTINGS || users >= LISTINGS_PER_CLIENT)
      throw new ViaductError('UNAVAILABLE', 'too many listings are on their way; try again later');
    const key = `${folder.version} ${name === ''}`;
    const shared = this.#shared.get(key) ?? this.#read(key, folder, name, root);
    clearTimeout(shared.timer);
    shared.users += 1;
    this.#listings += 1;
    this.#users.set(client, users + 1);
    const release = (): void => this.#release(key, shared, client);
    try {
      return { names: await shared.names, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Runs a piece of work for a listing when it is its turn. */
  turn<T>(work: () => Promise<T>): Promise<T> {
    return this.#batches(work);
  }

  #read(key: string, folder: ServedFolder, name: string, root: Root): Shared {
    const shared: Shared = {
      names: this.#reading(async () => {
        if (this.#namesHeld > this.#maxHeld)
          throw new ViaductError('UNAVAILABLE', 'too many large folders are being listed; try again later');
        const isSettled = Date.now() - folder.modified.getTime() > TICK_MS;
        const { names, hasLinks } = await readNames(folder, name, root);
        shared.count = names.folders.length + names.files.length;
        shared.isStable = isSettled && !hasLinks;
        return names;
      }),
      users: 0,
      count: 0,
      isStable: false,
      timer: undefined,
    };
    this.#shared.set(key, shared);
    return shared;
  }

  /** Names of listings on their way. */
  get #namesHeld(): number {
    let held = 0;
    for (const { users, count } of this.#shared.values()) if (users > 0) held += count;
    return held;
  }

  #release(key: string, shared: Shared, client: string): void {
    this.#listings -= 1;
    const users = (this.#users.get(client) ?? 1) - 1;
    if (users === 0) this.#users.delete(client);
    else this.#users.set(client, users);
    shared.users -= 1;
    if (shared.users > 0) return;
    const isKept = shared.isStable && shared.count <= NAMES_KEPT;
    this.#drop(key, shared);
    if (!isKept) return;
    // The one used longest ago first.
    this.#shared.set(key, shared);
    shared.timer = setTimeout(() => this.#drop(key, shared), KEPT_MS).unref();
    let kept = 0;
    for (const [other, names] of [...this.#shared].toReversed()) {
      if (names.users > 0) continue;
      kept += names.count;
      if (kept > NAMES_KEPT) this.#drop(other, names);
    }
  }

  /** Forgets names, unless others have taken their place. */
  #drop(key: string, shared: Shared): void {
    clearTimeout(shared.timer);
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }
}

async function readNames(
  folder: ServedFolder,
  name: string,
  root: Root,
): Promise<{ readonly names: Names; readonly hasLinks: boolean }> {
  const [folders, files]: [string[], string[]] = [[], []];
  const omitted = { hidden: 0, links: 0, special: 0 };
  const slices = new Slices();
  let hasLinks = false;
  // In latin1 a character is a byte: names need not be UTF-8.
  for await (const entry of await opendir(folder.path, { bufferSize: 1024, encoding: 'latin1' })) {
    const entryName = nameOfBytes(Buffer.from(entry.name, 'latin1'));
    if (slices.isOver) await slices.pause();
    if (name === '' && root.reserves(entryName)) continue;
    if (root.hides(entryName)) {
      omitted.hidden += 1;
      continue;
    }
    hasLinks ||= entry.isSymbolicLink();
    const isFolder = await isFolderEntry(folder, entry, entryName, root);
    if (isFolder === undefined) omitted[entry.isSymbolicLink() ? 'links' : 'special'] += 1;
    else (isFolder ? folders : files).push(entryName);
  }
  const order = new Intl.Collator('en', { numeric: true }).compare;
  const names = {
    folders: await sortInSlices(folders, order, slices),
    files: await sortInSlices(files, order, slices),
    omitted,
  };
  return { names, hasLinks };
}

/** Undefined for what is not served: neither file nor folder, or a link that leads out or nowhere. */
async function isFolderEntry(
  folder: ServedFolder,
  entry: Dirent,
  name: string,
  root: Root,
): Promise<boolean | undefined> {
  if (entry.isDirectory()) return true;
  if (entry.isFile()) return false;
  if (!entry.isSymbolicLink()) return undefined;
  try {
    const path = fsPath(join(folder.path, name));
    const [real, info] = await Promise.all([realpath(path, { encoding: 'buffer' }), stat(path)]);
    if (!root.contains(nameOfBytes(real)) || !(info.isDirectory() || info.isFile())) return undefined;
    return info.isDirectory();
  } catch {
    return undefined;
  }
}
