import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { ViaductError, systemCode, systemReason } from '../errors.js';
import { visible } from '../route.js';

/** A file that may be served, open for reading. Its size is that of the moment it was opened. */
export interface ServedFile {
  readonly handle: FileHandle;
  readonly size: number;
}

/** The folder that an origin serves from, and nothing outside of it. */
export class Root {
  /** The real path of the folder. */
  readonly path: string;
  readonly #dotfiles: boolean;

  private constructor(path: string, dotfiles: boolean) {
    this.path = path;
    this.#dotfiles = dotfiles;
  }

  /**
   * @param dotfiles whether names with a leading dot are served
   * @throws ViaductError USAGE if it is not a folder that can be read
   */
  static async at(path: string, dotfiles: boolean): Promise<Root> {
    try {
      const real = await realpath(path);
      if ((await stat(real)).isDirectory()) return new Root(real, dotfiles);
    } catch (error) {
      const why =
        systemCode(error) === 'ENOENT' ? 'does not exist' : `cannot be used: ${systemReason(error)}`;
      throw new ViaductError('USAGE', `the root folder ${path} ${why}`, { cause: error });
    }
    throw new ViaductError('USAGE', `the root ${path} is not a folder`);
  }

  /**
   * Opens a regular file under the root. Opens first and then checks what was opened, so that a link
   * that is swapped in between gains nothing; a FIFO does not block.
   * @param name relative to the root, with `/` between folders
   * @throws ViaductError NOT_FOUND, FORBIDDEN or READ_FAILED
   */
  async open(name: string): Promise<ServedFile> {
    const path = this.#pathOf(name);
    const handle = await openWithoutBlocking(path, name);
    try {
      const info = await handle.stat();
      const real = await realPathOf(handle, path);
      if (real === undefined || !this.#contains(real)) throw forbidden(name, 'leads out of the root');
      if (!info.isFile()) throw forbidden(name, 'is not a regular file');
      return { handle, size: info.size };
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
    const hidden = segments.some((segment) => segment.startsWith('.') && segment !== '.');
    if (hidden && !this.#dotfiles) throw forbidden(name, 'has a leading dot (--dotfiles serves such names)');
    return [this.path, ...segments].join(sep);
  }

  #contains(real: string): boolean {
    return real.startsWith(this.path.endsWith(sep) ? this.path : this.path + sep);
  }
}

async function openWithoutBlocking(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const code = systemCode(error);
    const details = { cause: error };
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') {
      throw new ViaductError('NOT_FOUND', `there is no file "${visible(name)}"`, details);
    }
    // ENXIO and ENODEV are what a socket and a device without driver answer to open(2).
    if (code === 'ENXIO' || code === 'ENODEV' || code === 'ELOOP')
      throw forbidden(name, 'is not a regular file', error);
    throw readFailed(name, error);
  }
}

/**
 * The real path of what is open. Linux tells it of the descriptor itself (proc(5)). Elsewhere: the
 * real path of the name, if what stands there now is what was opened.
 */
async function realPathOf(handle: FileHandle, path: string): Promise<string | undefined> {
  if (process.platform === 'linux') {
    try {
      return await readlink(`/proc/self/fd/${handle.fd}`);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
  const real = await realpath(path);
  const [opened, there] = await Promise.all([handle.stat({ bigint: true }), stat(real, { bigint: true })]);
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
