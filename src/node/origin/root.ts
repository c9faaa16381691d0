import { constants } from 'node:fs';
import { type FileHandle, access, open, readlink, realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { ViaductError, systemCode, systemReason } from '../../errors.js';
import { fsPath, nameOfBytes } from '../../route/name.js';
import { visible } from '../../text.js';
import { Secrets } from './secrets.js';
import { type ServedFile, servedFile } from './served-file.js';

/** A folder that may be listed, open. */
export interface ServedFolder {
  readonly kind: 'folder';
  readonly handle: FileHandle;
  /** Where to read it: what was opened, even if something else stands under its name now. */
  readonly path: string;
  readonly realPath: string;
  readonly modified: Date;
  /** Differs whenever the names may differ, as far as the file system's clock can tell. */
  readonly version: string;
}

/** First segment of the node's own resources; what a tree has under this name is never served. */
const RESERVED = '.viaduct';

const DOTFILES = '--dotfiles serves such names';

/** The folder that an origin serves from, and nothing outside of it. */
export class Root {
  /** The real path of the folder. */
  readonly path: string;
  readonly #dotfiles: boolean;
  readonly #secrets: Secrets;
  /** What the real path of everything inside begins with. */
  readonly #prefix: string;

  private constructor(path: string, dotfiles: boolean, secrets: Secrets) {
    this.path = path;
    this.#dotfiles = dotfiles;
    this.#secrets = secrets;
    this.#prefix = path.endsWith(sep) ? path : path + sep;
  }

  /**
   * @param dotfiles whether names with a leading dot are served
   * @throws ViaductError USAGE if it is not a folder that can be read, or is kept secret
   */
  static async at(path: string, dotfiles: boolean, secrets = new Secrets()): Promise<Root> {
    try {
      const real = nameOfBytes(await realpath(path, { encoding: 'buffer' }));
      if ((await stat(fsPath(real))).isDirectory()) {
        await access(fsPath(real), constants.X_OK);
        if (secrets.includes(real))
          throw new ViaductError(
            'USAGE',
            `the root folder ${path} has the keys of this node, which are never served`,
          );
        return new Root(real, dotfiles, secrets);
      }
    } catch (error) {
      if (error instanceof ViaductError) throw error;
      const why =
        systemCode(error) === 'ENOENT' ? 'does not exist' : `cannot be used: ${systemReason(error)}`;
      throw new ViaductError('USAGE', `the root folder ${path} ${why}`, { cause: error });
    }
    throw new ViaductError('USAGE', `the root ${path} is not a folder`);
  }

  /**
   * Opens a regular file under the root.
   * @throws as {@link open}, and FORBIDDEN for a folder
   */
  async openFile(name: string): Promise<ServedFile> {
    const opened = await this.open(name);
    if (opened.kind === 'file') return opened;
    await opened.handle.close();
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
    const handle = await openWithoutBlocking(path, name);
    try {
      const info = await handle.stat({ bigint: true });
      const real = await realPathOf(handle, path);
      // By a link, that is: by its name it has been refused before.
      if (real === undefined || !this.#isInside(real)) throw forbidden(name, 'leads out of the root');
      if (this.#isReserved(real)) throw notFound(name);
      if (this.#secrets.includes(path) || (await this.#secrets.cover(handle, info, real)))
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
    return [this.path, ...segments].join(sep);
  }

  /** True for a name directly below the root that stands for the node's own resources. */
  reserves(segment: string): boolean {
    return segment === RESERVED;
  }

  /** True for a name that is not served because of its leading dot. */
  hides(segment: string): boolean {
    return segment.startsWith('.') && segment !== '.' && !this.#dotfiles;
  }

  /** True for a name in a folder that is not listed, since it is or has keys of this node. */
  keepsSecret({ realPath }: ServedFolder, segment: string): boolean {
    return this.#secrets.areIn(this.#prefix) && this.#secrets.includes(realPath + sep + segment);
  }

  /** True for the real path of something in the root that may be served, or of the root itself. */
  contains(real: string): boolean {
    if (this.#secrets.includes(real)) return false;
    return this.#isInside(real) && !this.#isReserved(real) && !this.#isHidden(real);
  }

  #isInside(real: string): boolean {
    return real === this.path || real.startsWith(this.#prefix);
  }

  /** True for the real path of what a tree has under the reserved name. */
  #isReserved(real: string): boolean {
    return real.slice(this.#prefix.length).split(sep)[0] === RESERVED;
  }

  /** True for a real path inside that is not served because a name in it has a leading dot. */
  #isHidden(real: string): boolean {
    return real
      .slice(this.#prefix.length)
      .split(sep)
      .some((segment) => this.hides(segment));
  }
}

function notFound(name: string, cause?: unknown): ViaductError {
  return new ViaductError(
    'NOT_FOUND',
    `there is no ${name.endsWith('/') ? 'folder' : 'file'} "${visible(name)}"`,
    { cause },
  );
}

async function openWithoutBlocking(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(fsPath(path), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') {
      throw notFound(name, error);
    }
    // ENXIO and ENODEV are what a socket and a device without driver answer to open(2).
    if (code === 'ENXIO' || code === 'ENODEV' || code === 'ELOOP')
      throw forbidden(name, 'is not a regular file', error);
    throw readFailed(name, error);
  }
}

/** A path that leads to what is open, whatever its name leads to by now: Linux has one (proc(5)). */
function pathOfHandle(handle: FileHandle): string | undefined {
  return process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : undefined;
}

/**
 * The real path of what is open. Linux has it for the descriptor itself. Elsewhere: the real path of the
 * name, if what stands there now is what was opened.
 */
async function realPathOf(handle: FileHandle, path: string): Promise<string | undefined> {
  const link = pathOfHandle(handle);
  if (link !== undefined) {
    try {
      return nameOfBytes(await readlink(link, { encoding: 'buffer' }));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
  const real = nameOfBytes(await realpath(fsPath(path), { encoding: 'buffer' }));
  const [opened, there] = await Promise.all([
    handle.stat({ bigint: true }),
    stat(fsPath(real), { bigint: true }),
  ]);
  return opened.ino === there.ino && opened.dev === there.dev ? real : undefined;
}

function forbidden(name: string, why: string, cause?: unknown): ViaductError {
  return new ViaductError('FORBIDDEN', `"${visible(name)}" ${why}`, { cause });
}

function readFailed(name: string, error: unknown): ViaductError {
  return new ViaductError('READ_FAILED', `"${visible(name)}" cannot be read: ${systemReason(error)}`, {
    cause: error,
  });
}
