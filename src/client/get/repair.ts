import { PartialFile } from '../../files/partial-file.js';
import type { Destination } from '../../files/destination.js';
import { totalBytes } from '../../files/ranges.js';
import type { OriginFile } from './origin-file.js';

/** A transfer that is damaged again and again is given up. */
const REPAIRS = 5;

/** More damage than this is not worth finding. */
const DAMAGED_MOST = 1 / 2;

/** Finds the damaged parts of files that were fetched without encryption, so that only these are fetched again. */
export class Repair {
  #repairs = 0;

  /**
   * Drops what is damaged.
   * @returns its size in bytes; undefined if that cannot be told, or nothing good is left
   */
  async drop(origin: OriginFile, to: Destination): Promise<number | undefined> {
    const { version } = to;
    this.#repairs += 1;
    if (this.#repairs > REPAIRS || version?.etag === undefined || !(to instanceof PartialFile))
      return undefined;
    const parts = await origin.partDigests(version).catch(() => undefined);
    if (parts === undefined) return undefined;
    const damaged = await to.differing(parts.partBytes, parts.sha256);
    const bytes = totalBytes(damaged);
    if (bytes === 0 || bytes > version.size * DAMAGED_MOST) return undefined;
    await to.forget(damaged);
    return bytes;
  }
}
