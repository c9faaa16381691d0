import { ViaductError } from '../../errors.js';
import { KeyedTurns, Turns } from '../turns.js';
import { Names, areSame, countOf } from './listing/names.js';
import { readNames } from './listing/read-names.js';
import type { Root } from './root.js';
import type { ServedFolder } from './served-folder.js';
import { Slices } from './slices.js';

/** Folders that are read at once. */
const READ_AT_ONCE = 2;

/** A folder of which nothing comes for so long keeps no other folder waiting. */
const READ_PATIENCE_MS = 1000;

/** Folders whose names are sorted or filtered at once, and how long the next one waits for one that is very large. */
const SORT_AT_ONCE = 2;
const SORT_PATIENCE_MS = 250;

/** Pieces of listings that are put together at once, and how long the next one waits for a file system that hangs. */
const BATCHES_AT_ONCE = 1;
const BATCH_PATIENCE_MS = 250;

/** Listings on their way to clients: in all, and to one client. */
const LISTINGS = 512;
export const LISTINGS_PER_CLIENT = 64;

/** Names that are held for listings on their way, about 60 bytes each, before a further folder is refused. */
const NAMES_HELD = 2_000_000;

/** Names that are kept for the next listing, and for how long. */
const NAMES_KEPT = 300_000;
const KEPT_MS = 10_000;

/** A change within this time after another one may leave the folder's times as they are. */
const TICK_MS = 100;

interface Shared {
  /** Of the folder and its version. */
  readonly key: string;
  readonly names: Promise<Names>;
  /** The same, once they are known. */
  found: Names | undefined;
  users: number;
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
  /** What the next listing of a folder uses. */
  readonly #shared = new Map<string, Shared>();
  /** What listings on their way use. */
  readonly #inUse = new Set<Shared>();
  readonly #users = new Map<string, number>();
  readonly #reading = new Turns(READ_AT_ONCE, READ_PATIENCE_MS);
  readonly #sorting = new Turns(SORT_AT_ONCE, SORT_PATIENCE_MS);
  readonly #batches = new Turns(BATCHES_AT_ONCE, BATCH_PATIENCE_MS);
  /** A folder that hangs has one piece of work that hangs. */
  readonly #folders = new KeyedTurns(1, undefined);
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
    // A link may lead out for one client and not for another.
    const key = `${folder.version} ${name === ''} ${root.limit}`;
    const shared = this.#shared.get(key) ?? this.#read(key, folder, name, root);
    clearTimeout(shared.timer);
    shared.users += 1;
    this.#inUse.add(shared);
    this.#listings += 1;
    this.#users.set(client, users + 1);
    const release = (): void => this.#release(shared, client);
    try {
      return { names: await shared.names, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Runs long work of the main thread on names when it is its turn. */
  inSlices<T>(work: (slices: Slices) => Promise<T>): Promise<T> {
    return this.#sorting.run(() => work(new Slices()));
  }

  /** Runs a piece of work for the listing of a folder when it is its turn. */
  turn<T>({ version }: ServedFolder, work: () => Promise<T>): Promise<T> {
    return this.#folders.run(version, () => this.#batches.run(work));
  }

  #read(key: string, folder: ServedFolder, name: string, root: Root): Shared {
    const shared: Shared = {
      key,
      names: this.#reading.run(async (progress) => {
        if (this.#namesHeld > this.#maxHeld)
          throw new ViaductError('UNAVAILABLE', 'too many large folders are being listed; try again later');
        const isSettled = Date.now() - folder.modified.getTime() > TICK_MS;
        const slices = new Slices(progress);
        const { names, hasLinks } = await readNames(folder, name, root, slices);
        shared.isStable = isSettled && !hasLinks;
        // For those who have asked by now, and no others.
        if (!shared.isStable) this.#drop(shared);
        return (shared.found = await this.#sameInUse(key, names, slices));
      }),
      found: undefined,
      users: 0,
      isStable: false,
      timer: undefined,
    };
    this.#shared.set(key, shared);
    return shared;
  }

  /** The same names if a listing holds them already, so that they are held once. */
  async #sameInUse(key: string, names: Names, slices: Slices): Promise<Names> {
    const last = [...this.#inUse].findLast((other) => other.key === key && other.found !== undefined)?.found;
    return last !== undefined && (await areSame(last, names, slices)) ? last : names;
  }

  /** Names of listings on their way. */
  get #namesHeld(): number {
    const held = new Set<Names>();
    for (const { found } of this.#inUse) if (found !== undefined) held.add(found);
    return [...held].reduce((sum, names) => sum + countOf(names), 0);
  }

  #release(shared: Shared, client: string): void {
    this.#listings -= 1;
    const users = (this.#users.get(client) ?? 1) - 1;
    if (users === 0) this.#users.delete(client);
    else this.#users.set(client, users);
    shared.users -= 1;
    if (shared.users > 0) return;
    this.#inUse.delete(shared);
    const isKept = shared.isStable && countOf(shared.found ?? Names.none) <= NAMES_KEPT;
    this.#drop(shared);
    if (!isKept) return;
    // The one used longest ago first.
    this.#shared.set(shared.key, shared);
    shared.timer = setTimeout(() => this.#drop(shared), KEPT_MS).unref();
    let kept = 0;
    for (const other of [...this.#shared.values()].toReversed()) {
      if (other.users > 0) continue;
      kept += countOf(other.found ?? Names.none);
      if (kept > NAMES_KEPT) this.#drop(other);
    }
  }

  /** Forgets names, unless others have taken their place. */
  #drop(shared: Shared): void {
    clearTimeout(shared.timer);
    if (this.#shared.get(shared.key) === shared) this.#shared.delete(shared.key);
  }
}
