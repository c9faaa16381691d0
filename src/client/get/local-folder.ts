import { createFolder } from '../../files/folder.js';
import { lstat } from '../../files/fs.js';
import { hasLeftovers, removeLeftovers } from '../../files/leftovers.js';
import type { Entry } from '../../wire/http/listing.js';

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
   */
  async isUpToDate(
    target: string,
    { size, modified }: Entry & { kind: 'file' },
    noClobber: boolean,
  ): Promise<boolean> {
    const existing = await lstat(target).catch(() => undefined);
    if (existing?.isFile() !== true) return false;
    const isSame = existing.size === size && seconds(existing.mtime) === seconds(modified);
    if (!isSame && !noClobber) return false;
    if (this.#hasLeftovers) await removeLeftovers(target, true);
    return true;
  }
}

/** HTTP dates have no fraction of a second. */
function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
