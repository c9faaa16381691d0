import { createFolder } from '../../files/folder.js';
import { lstat } from '../../files/fs.js';
import { sha256OfFile } from '../../files/hash/range.js';
import { hasLeftovers, removeLeftovers } from '../../files/leftovers.js';
import type { FileEntry } from '../../wire/http/listing.js';

/** A folder that the files of a listing are saved in. */
export class LocalFolder {
  readonly path: string;
  readonly #hasLeftovers: boolean;

  private constructor(path: string, leftovers: boolean) {
    this.path = path;
    this.#hasLeftovers = leftovers;
  }

  /**
   * Creates it, unless it exists.
   * @param isTop as {@link createFolder}
   * @throws ViaductError WRITE_FAILED
   */
  static async create(path: string, isTop: boolean): Promise<LocalFolder> {
    await createFolder(path, isTop);
    return new LocalFolder(path, await hasLeftovers(path));
  }

  /**
   * Whether a file exists with the same size and time, or exists at all with `noClobber`. Links are not followed. What an
   * earlier process left beside such a file is removed.
   * @param target in this folder
   * @param sha256 in hexadecimal, that an existing file must have too; not with `noClobber`
   */
  async isUpToDate(
    target: string,
    { size, modified }: FileEntry,
    noClobber: boolean,
    sha256: string | undefined,
  ): Promise<boolean> {
    const existing = await lstat(target).catch(() => undefined);
    if (existing?.isFile() !== true) return false;
    const isSame = existing.size === size && seconds(existing.mtime) === seconds(modified);
    if (!isSame && !noClobber) return false;
    if (!noClobber && sha256 !== undefined && (await digestAt(target)) !== sha256) return false;
    if (this.#hasLeftovers) await removeLeftovers(target, true);
    return true;
  }
}

/** Undefined for a file that cannot be read: it is fetched. */
function digestAt(path: string): Promise<string | undefined> {
  return sha256OfFile(path).catch(() => undefined);
}

/** HTTP dates have no fraction of a second. */
function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
