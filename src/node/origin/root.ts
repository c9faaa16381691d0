import { type FileHandle, realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { ViaductError } from '../../errors.js';
import { fsPath, nameOfBytes } from '../../route/name.js';
import { RESERVED } from '../../route/share-link.js';
import { type Subtree, WHOLE_ROOT } from '../../route/subtree.js';
import {
  forbidden,
  notFound,
  openWithoutBlocking,
  pathOfHandle,
  readFailed,
  realFolder,
  realPathOf,
} from './open-path.js';
import { Neighbours, withSeparator } from './neighbours.js';
import { Secrets } from './secrets.js';
import { type ServedFile, servedFile } from './served-file.js';
import { type ServedFolder, nothingAt } from './served-folder.js';

const DOTFILES = '--dotfiles serves such names';

/** What else the node serves. */
interface Beside {
  readonly neighbours: Neighbours;
  readonly names: ReadonlySet<string>;
}

const NOTHING_BESIDE: Beside = { neighbours: Neighbours.none, names: new Set() };

interface RootFolder {
  readonly path: string;
  readonly dotfiles: boolean;
  readonly secrets: Secrets;
  readonly share: string | undefined;
}

/** A folder that an origin serves from, and nothing outside of it. */
export class Root {
  /** The real path of the folder; empty if there is none. */
  readonly path: string;
  readonly #of: RootFolder;
  /** What the real path of everything inside begins with. */
  readonly #prefix: string;
  /** Links lead nowhere else than below it. */
  readonly #subtree: Subtree;
  readonly #beside: Beside;
  #limit: string;

  private constructor(of: RootFolder, subtree = WHOLE_ROOT, beside = NOTHING_BESIDE) {
    this.path = of.path;
    this.#of = of;
    this.#prefix = withSeparator(of.path);
    this.#subtree = subtree;
    this.#beside = beside;
    this.#limit = of.path;
  }

  /** How many folders down from the root the one is above which this client may read nothing. */
  get topDepth(): number {
    return this.#subtree.length;
  }

  /** The real path of all that is served, once something is open. */
  get limit(): string {
    return this.#limit;
  }

  /** The same root for a client that may read a part of it: no link leads out of that part. Its names are as before. */
  only(subtree: Subtree): Root {
    return subtree.length === 0 ? this : new Root(this.#of, subtree, this.#beside);
  }

  /**
   * The same root beside other ones.
   * @param names first segments of names that are not its own
   */
  beside(neighbours: Neighbours, names: ReadonlySet<string>): Root {
    return new Root(this.#of, this.#subtree, { neighbours, names });
  }

  /** A root with nothing in it. */
  static nothing(): Root {
    return new Root({ path: '', dotfiles: false, secrets: new Secrets(), share: undefined });
  }

  /**
   * @param dotfiles whether names with a leading dot are served
   * @param share the first segment of all names, if the folder is shared under one
   * @throws ViaductError USAGE if it is not a folder that can be read, or is kept secret
   */
  static async at(path: string, dotfiles: boolean, secrets = new Secrets(), share?: string): Promise<Root> {
    return new Root({ path: await realFolder(path, secrets, share), dotfiles, secrets, share });
  }

  /**
   * Opens a regular file under the root.
   * @throws as {@link open}, and FORBIDDEN for a folder
   */
  async openFile(name: string): Promise<ServedFile> {
    const opened = await this.open(name);
    if (opened.kind === 'file') return opened;
    await opened.handle?.close();
    throw forbidden(name, 'is not a regular file');
  }

  /**
   * Opens a regular file or a folder under the root. Opens first and then checks what was opened, so
   * that a link that is swapped in between gains nothing; a FIFO does not block.
   * @param name relative to the root, with `/` between folders; empty for the root itself
   * @throws ViaductError NOT_FOUND, FORBIDDEN or READ_FAILED
   */
  async open(name: string): Promise<ServedFile | ServedFolder> {
    const path = name === '' ? this.path : this.#pathOf(name);
    if (this.path === '') return nothingAt(name);
    if (this.#isElsewhere(path)) throw notFound(name);
    const handle = await this.#opened(path, name);
    try {
      const info = await handle.stat({ bigint: true });
      if (this.#subtree.length > 0) this.#limit = await this.#realLimit();
      const real = await realPathOf(handle, path);
      // By a link, that is: by its name it has been refused before.
      if (real === undefined || !this.#isInside(real)) throw this.#outside(name);
      if (this.#isReserved(real) || (await this.#beside.neighbours.have(real, this.path)))
        throw notFound(name);
      if (this.#of.secrets.includes(path) || (await this.#of.secrets.cover(handle, info, real)))
        throw forbidden(name, 'has private keys, which are never served');
      if (this.#isHidden(real)) throw forbidden(name, `leads to a name with a leading dot (${DOTFILES})`);
      const file = servedFile(handle, info);
      if (info.isFile()) return file;
      if (!info.isDirectory()) throw forbidden(name, 'is not a regular file');
      const { modified, version } = file;
      return {
        kind: 'folder',
        handle,
        path: pathOfHandle(handle) ?? real,
        realPath: real,
        modified,
        version,
      };
    } catch (error) {
      await handle.close();
      throw error instanceof ViaductError ? error : readFailed(name, error);
    }
  }

  /** What is outside may be for other readers, who alone may know whether it exists. */
  get #isGuarded(): boolean {
    return this.#subtree.length > 0 || !this.#beside.neighbours.areNone;
  }

  #outside(name: string): ViaductError {
    return this.#isGuarded ? notFound(name) : forbidden(name, 'leads out of the root');
  }

  async #opened(path: string, name: string): Promise<FileHandle> {
    try {
      return await openWithoutBlocking(path, name);
    } catch (error) {
      if (!this.#isGuarded) throw error;
      const real = await realpath(fsPath(path), { encoding: 'buffer' }).then(nameOfBytes, () => undefined);
      if (this.#subtree.length > 0) this.#limit = await this.#realLimit();
      throw real !== undefined && this.contains(real) ? error : notFound(name);
    }
  }

  async #realLimit(): Promise<string> {
    const path = [this.path, ...this.#ownPart(this.#subtree)].join(sep);
    return nameOfBytes(await realpath(fsPath(path), { encoding: 'buffer' }));
  }

  /** Refuses by its text alone a name that could not be meant to stay inside. */
  #pathOf(name: string): string {
    const separators = sep === '\\' ? /[/\\]/ : /\//;
    const segments = name.split(separators);
    if (segments[0] === '' || (sep === '\\' && name.includes(':')))
      throw forbidden(name, 'is an absolute path');
    if (name.includes('\0')) throw forbidden(name, 'has a NUL');
    if (segments.includes('..')) throw forbidden(name, 'leads out of the root');
    if (segments.find((segment) => segment !== '.' && segment !== '') === RESERVED) {
      throw notFound(name);
    }
    if (segments.some((segment) => this.hides(segment))) {
      throw forbidden(name, `has a leading dot (${DOTFILES})`);
    }
    return [this.path, ...this.#ownPart(segments)].join(sep);
  }

  /** Without the name under which the folder is shared. */
  #ownPart(segments: readonly string[]): readonly string[] {
    const { share } = this.#of;
    return share === undefined ? segments : segments.slice(segments.indexOf(share) + 1);
  }

  /** True for a name directly below the root that stands for the node's own resources, or a share. */
  reserves(segment: string): boolean {
    return segment === RESERVED || this.#beside.names.has(segment);
  }

  /** True for a name that is not served because of its leading dot. */
  hides(segment: string): boolean {
    return segment.startsWith('.') && segment !== '.' && !this.#of.dotfiles;
  }

  /** True for a name in a folder that is not listed, since it is or has keys of this node. */
  keepsSecret({ realPath }: ServedFolder, segment: string): boolean {
    return (
      this.#of.secrets.areIn(this.#prefix) && this.#of.secrets.includes(withSeparator(realPath) + segment)
    );
  }

  /** Whether a file in an open folder may turn out to be secret. */
  mayKeepSecret(name: string, facts: Parameters<Secrets['mayCover']>[1]): boolean {
    return this.#of.secrets.mayCover(name, facts);
  }

  /** True for a name in a folder that is not in it for clients, since it is served elsewhere. */
  leaves({ realPath }: ServedFolder, segment: string): boolean {
    return !this.#beside.neighbours.areNone && this.#isElsewhere(withSeparator(realPath) + segment);
  }

  /** True for the real path of something in the root that may be served, or of the root itself. */
  contains(real: string): boolean {
    if (this.#of.secrets.includes(real)) return false;
    if (!this.#isInside(real) || this.#isElsewhere(real)) return false;
    return !this.#isReserved(real) && !this.#isHidden(real);
  }

  #isElsewhere(path: string): boolean {
    return this.#beside.neighbours.has(path, this.path);
  }

  #isInside(real: string): boolean {
    if (real !== this.path && !real.startsWith(this.#prefix)) return false;
    return this.#subtree.length === 0 || real === this.#limit || real.startsWith(withSeparator(this.#limit));
  }

  /** True for the real path of what a tree has under a name that stands for something else. */
  #isReserved(real: string): boolean {
    if (this.#of.share !== undefined) return false;
    return this.reserves(real.slice(this.#prefix.length).split(sep)[0] ?? '');
  }

  /** True for a real path inside that is not served because a name in it has a leading dot. */
  #isHidden(real: string): boolean {
    const segments = real.slice(this.#prefix.length).split(sep);
    return segments.some((segment) => this.hides(segment));
  }
}
