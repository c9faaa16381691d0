import type { Signal } from '../../../signal.js';
import { type Hash, createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { ViaductError } from '../../../errors.js';
import { fsPath } from '../../../route/name.js';
import { segmentsOf } from '../../../route/subtree.js';
import { type Work, kindOfTarget, readEntries } from '../folder-entries.js';
import type { Root } from '../root.js';
import type { ServedFolder } from '../served-folder.js';
import { Slices, sortInSlices } from '../slices.js';
import { FACTS, type StatAnswer, UNKNOWN_MODE } from './facts.js';
import { LeftOutNames } from './left-out.js';
import { KEPT, type Plan, type PlannedFolder } from './plan.js';
import { isReadable } from './readable.js';
import type { StatThread } from './stat-thread.js';

/** Changes with the format of archives, so that no transfer goes on with another one. */
const FORMAT = 'viaduct archive 1';

/** Of the archive of the root, which has no name. */
const ROOT_NAME = 'files';

/** A path that is longer may be too long for the system, which takes 4,096 bytes: only open(2) knows. */
const SHORT_PATH = 1000;

/** Files whose names and facts take a fraction of a millisecond to hash. */
const HASHED_AT_ONCE = 512;

/** S_IFMT and S_IFREG of stat(2). */
const TYPE_MASK = 0o170000n;
const REGULAR_FILE = 0o100000n;

/** A folder to be archived, as a client may read it. */
export interface Top {
  readonly folder: ServedFolder;
  /** Relative to the root, with `/` at its end; empty for the root. */
  readonly name: string;
  readonly root: Root;
  /** Folders that are in it beside its own content. */
  readonly shares: ReadonlyMap<string, Root>;
}

export interface WalkOptions {
  readonly stats: StatThread;
  readonly signal: Signal;
  /** Files and folders. */
  readonly maxEntries: number;
  /** Called again and again while it makes progress. */
  readonly progress: () => void;
}

/** A folder that is still to be read. */
interface Waiting {
  readonly path: string;
  readonly root: Root;
}

const NO_SHARES: Top['shares'] = new Map();

interface Content {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** Reads a tree: what is in its archive, and what is not. Links are left out, wherever they lead. */
export class Walk {
  readonly #top: Top;
  readonly #options: WalkOptions;
  readonly #slices: Slices;
  readonly #leftOut = new LeftOutNames();
  readonly #hash: Hash = createHash('sha256').update(FORMAT);
  #entries = 0;

  constructor(top: Top, options: WalkOptions) {
    this.#top = top;
    this.#options = options;
    this.#slices = new Slices(options.progress);
  }

  /** @throws ViaductError FORBIDDEN if the tree is too large, READ_FAILED; the reason of the signal */
  async run(): Promise<Plan> {
    const { folder, name, root, shares } = this.#top;
    const folders: PlannedFolder[] = [];
    const waiting: Waiting[] = [];
    for (let next: Waiting | undefined = { path: name, root }; next !== undefined; next = waiting.pop()) {
      this.#options.signal.throwIfAborted();
      this.#options.progress();
      const isTop = folders.length === 0;
      const opened = isTop ? folder : await this.#opened(next);
      if (opened === undefined) continue;
      try {
        const beside = isTop ? shares : NO_SHARES;
        const content = await this.#contentOf(opened, next, beside);
        folders.push(await this.#planned(opened, next, content.files));
        for (const child of content.folders.toReversed())
          waiting.push({ path: `${next.path}${child}/`, root: beside.get(child) ?? next.root });
      } finally {
        if (!isTop) await opened.handle?.close();
      }
    }
    const { comment, counts } = this.#leftOut;
    const tag = this.#hash.update(comment).digest('base64url');
    return {
      name: segmentsOf(name).at(-1) ?? ROOT_NAME,
      top: name,
      folders,
      entries: this.#entries,
      leftOut: counts,
      comment,
      tag,
    };
  }

  /** Undefined for what is no folder that is served any more. */
  async #opened({ path, root }: Waiting): Promise<ServedFolder | undefined> {
    try {
      const opened = await root.open(path);
      if (opened.kind === 'folder') return opened;
      await opened.handle.close();
    } catch (error) {
      if (!(error instanceof ViaductError)) throw error;
    }
    this.#leftOut.add('unreadable', path);
    return undefined;
  }

  /** @param shares folders that are in it beside its own content */
  async #contentOf(folder: ServedFolder, { path, root }: Waiting, shares: Top['shares']): Promise<Content> {
    const [files, folders]: [string[], string[]] = [[], [...shares.keys()]];
    const take = (name: string, entry: Dirent | undefined): Work | undefined => {
      this.#options.signal.throwIfAborted();
      if (entry?.isFile()) files.push(name);
      else if (entry?.isDirectory()) folders.push(name);
      else if (entry !== undefined) return () => this.#leaveOut(folder, entry, { name, path, root });
      this.#count(files.length + folders.length);
      return undefined;
    };
    if (folder.handle !== undefined) await readEntries(folder, path, root, this.#slices, take);
    return {
      files: await sortInSlices(files, order, this.#slices),
      folders: await sortInSlices(folders, order, this.#slices),
    };
  }

  /** A link is named only if it can be fetched: where another one leads is not for clients. */
  async #leaveOut(
    folder: ServedFolder,
    entry: Dirent,
    { name, path, root }: Waiting & { readonly name: string },
  ): Promise<void> {
    if (!entry.isSymbolicLink()) return this.#leftOut.add('special', path + name);
    const isNamed = this.#leftOut.hasRoom && (await kindOfTarget(folder, name, root)) !== undefined;
    this.#leftOut.add('links', isNamed ? path + name : undefined);
  }

  /** @param more entries of the folder that is being read */
  #count(more: number): void {
    const { maxEntries } = this.#options;
    if (this.#entries + more < maxEntries) return;
    const why = `the folder has more than ${maxEntries} files and folders, too many for one archive`;
    throw new ViaductError('FORBIDDEN', `${why}; fetch it with viaduct get -r`);
  }

  async #planned(folder: ServedFolder, of: Waiting, names: readonly string[]): Promise<PlannedFolder> {
    const modified = Math.floor(folder.modified.getTime() / 1000);
    this.#hash.update(fsPath(of.path)).update(`\0${modified}\0`);
    const all = await this.#options.stats.stat({ folder: folder.path, names });
    const files: string[] = [];
    const facts = new BigInt64Array(names.length * KEPT.length);
    let hashed = 0;
    const hash = (): void => {
      this.#hash.update(fsPath(`${files.slice(hashed).join('\0')}\0`));
      this.#hash.update(facts.subarray(hashed * KEPT.length, files.length * KEPT.length));
      hashed = files.length;
    };
    for (const [index, name] of names.entries()) {
      if (files.length - hashed === HASHED_AT_ONCE) hash();
      if (this.#slices.isOver) await this.#slices.pause();
      const own = all.subarray(index * FACTS.length, (index + 1) * FACTS.length);
      if (!(isServed(of, name, own) ?? (await this.#opens(of, name)))) continue;
      facts.set(own.subarray(0, KEPT.length), files.length * KEPT.length);
      files.push(name);
    }
    hash();
    this.#entries += files.length + 1;
    return { path: of.path, modified, files, facts: facts.slice(0, files.length * KEPT.length) };
  }

  /** Whether a file opens for its client. */
  async #opens({ path, root }: Waiting, name: string): Promise<boolean> {
    try {
      const file = await root.openFile(path + name);
      await file.handle.close();
      return true;
    } catch (error) {
      if (!(error instanceof ViaductError)) throw error;
      this.#leftOut.add('unreadable', path + name);
      return false;
    }
  }
}

/** Whether a file can be fetched, as far as that can be told without opening it. What is gone, or no file, cannot. */
function isServed({ path, root }: Waiting, name: string, facts: StatAnswer): boolean | undefined {
  const fact = (of: (typeof FACTS)[number]): bigint => facts[FACTS.indexOf(of)] ?? 0n;
  const mode = fact('mode');
  if (mode === UNKNOWN_MODE) return undefined;
  if ((mode & TYPE_MASK) !== REGULAR_FILE) return false;
  const identity = { mode, dev: fact('dev'), ino: fact('ino'), birthtimeNs: fact('birthtimeNs') };
  if (path.length + name.length > SHORT_PATH || root.mayKeepSecret(name, identity)) return undefined;
  return isReadable({ mode, uid: fact('uid'), gid: fact('gid') }) || undefined;
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
