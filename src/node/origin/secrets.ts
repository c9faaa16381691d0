import type { BigIntStats } from 'node:fs';
import { type FileHandle, readdir, readlink, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { ViaductError, systemCode, systemReason } from '../../errors.js';
import { realpath } from '../../files/fs.js';
import { fsPath, nameOfBytes } from '../../route/name.js';
import { visible } from '../../text.js';

/** As many as Linux follows in a path. */
const MAX_LINKS = 40;
/** A path that leads nowhere, or nowhere for this user: it may by the time that a file is asked for. */
const NOT_REACHED = new Set<string | undefined>(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP']);
/** Also under the temporary name that it has while it is written. */
const KEY_NAME = /^(?:(?:node|client)\.pem|share_secret)(?:\.[0-9a-f]{12})?$/;
/** No identity is larger. */
const MAX_KEY_BYTES = 64 * 1024;
const READABLE_BY_OTHERS = 0o004n;

/** What tells a file from others, and its permissions. */
type FileFacts = Pick<BigIntStats, 'dev' | 'ino' | 'birthtimeNs' | 'mode'>;

/** Files and folders that are never served, by whatever name they are reached: those with private keys. */
export class Secrets {
  /** Absolute paths, as they were given. */
  readonly #sources: readonly string[];
  /** Real paths, and those of links to them. */
  readonly #paths = new Set<string>();
  /** A hard link or a bind mount has another path. */
  readonly #ids = new Set<string>();

  /** @param paths as for {@link Secrets.of}; nothing is looked at before {@link update} */
  constructor(paths: readonly string[] = []) {
    this.#sources = paths.map((path) => resolve(path));
  }

  /**
   * @param paths files, and folders with all that is in them; they need not exist yet
   * @throws ViaductError READ_FAILED
   */
  static async of(paths: readonly string[]): Promise<Secrets> {
    const secrets = new Secrets(paths);
    await secrets.update();
    return secrets;
  }

  /** Looks where the paths lead to now. What they led to before stays secret. @throws ViaductError READ_FAILED */
  async update(): Promise<void> {
    for (const path of this.#sources) {
      try {
        await this.#add(path);
      } catch (error) {
        const what = `cannot check ${visible(path)}, which must not be served`;
        throw new ViaductError('READ_FAILED', `${what}: ${systemReason(error)}`, { cause: error });
      }
    }
  }

  async #add(path: string): Promise<void> {
    for (const name of await pathsTo(path)) this.#paths.add(name);
    const real = await ifReached(realpath(path));
    if (real === undefined) return;
    this.#paths.add(real);
    const info = await this.#addId(real);
    if (info?.isDirectory() !== true) return;
    const names = (await ifReached(readdir(fsPath(real), { encoding: 'buffer' }))) ?? [];
    for (const name of names) await this.#addId(join(real, nameOfBytes(name)));
  }

  async #addId(path: string): Promise<BigIntStats | undefined> {
    const info = await ifReached(stat(fsPath(path), { bigint: true }));
    if (info !== undefined) this.#ids.add(idOf(info));
    return info;
  }

  /** @param path without links in the folders above its last name */
  includes(path: string): boolean {
    if (this.#paths.has(path)) return true;
    for (const secret of this.#paths) if (path.startsWith(secret + sep)) return true;
    return false;
  }

  /** Whether some are in a folder. @param prefix its real path and a separator */
  areIn(prefix: string): boolean {
    for (const path of this.#paths) if (path.startsWith(prefix)) return true;
    return false;
  }

  /**
   * Whether what is open is secret. A file that other users can read is so only if it was when the paths were looked at;
   * any other one also if it was made later in one of the folders, or is a key of another node or client.
   * @param real its real path
   */
  async cover(file: FileHandle, info: BigIntStats, real: string): Promise<boolean> {
    if (this.includes(real) || this.#ids.has(idOf(info))) return true;
    if (!info.isFile() || !isPrivate(info)) return false;
    return (await this.#isInSecretFolder(real)) || (KEY_NAME.test(basename(real)) && hasPrivateKey(file));
  }

  /**
   * Whether {@link cover} may be true of a file in a folder that is not secret, and whose path is not: what can be told without
   * opening it.
   */
  mayCover(name: string, facts: FileFacts): boolean {
    return this.#ids.has(idOf(facts)) || (isPrivate(facts) && KEY_NAME.test(name));
  }

  /** By a bind mount, that is: its path has been compared. */
  async #isInSecretFolder(real: string): Promise<boolean> {
    if (this.#ids.size === 0) return false;
    const folder = await ifReached(stat(fsPath(dirname(real)), { bigint: true }));
    return folder !== undefined && this.#ids.has(idOf(folder));
  }
}

/** With its birth, since a new file may get the number of a deleted one: each change of known_hosts deletes one. */
function idOf({ dev, ino, birthtimeNs }: FileFacts): string {
  return `${dev}:${ino}:${birthtimeNs}`;
}

/** Windows shows no permissions of other users. */
function isPrivate({ mode }: FileFacts): boolean {
  return process.geteuid === undefined || (mode & READABLE_BY_OTHERS) === 0n;
}

async function hasPrivateKey(file: FileHandle): Promise<boolean> {
  const buffer = Buffer.allocUnsafe(MAX_KEY_BYTES);
  const { bytesRead } = await file.read(buffer, 0, MAX_KEY_BYTES, 0);
  const text = buffer.toString('latin1', 0, bytesRead);
  return /-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY-----|^[A-Za-z0-9+/]{43}=\n$/.test(text);
}

/** Undefined if a path is not reached. */
async function ifReached<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (NOT_REACHED.has(systemCode(error))) return undefined;
    throw error;
  }
}

/**
 * The path without links in the folders above its last name; if it is a link, then that of what it leads to, and so on. The
 * last one is the real path, also of what does not exist yet.
 */
async function pathsTo(path: string, linksLeft = MAX_LINKS): Promise<string[]> {
  const above = dirname(path);
  if (above === path) return [path];
  const folder = (await pathsTo(above, linksLeft)).at(-1) ?? above;
  const own = join(folder, basename(path));
  const target = linksLeft === 0 ? undefined : await targetOf(own);
  return target === undefined ? [own] : [own, ...(await pathsTo(resolve(folder, target), linksLeft - 1))];
}

/** Undefined for what is no link, or cannot be looked at. */
async function targetOf(path: string): Promise<string | undefined> {
  return readlink(fsPath(path), { encoding: 'buffer' }).then(nameOfBytes, () => undefined);
}
