import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Source } from '../../route/input-file.js';
import { type FetchOptions, type Progress, fetchFile } from './fetch.js';
import { placeOf, publish, writeAll, writing } from '../../files/target.js';

/**
 * Fetches a file on the classic wire into `target`, which is the whole file afterwards, or what it was
 * before. The bytes go to a partial file beside it, which is synced and renamed after a clean end, and
 * removed after any other. A device is written to as it is.
 *
 * @throws ViaductError as {@link fetchFile}, or WRITE_FAILED
 */
export async function download(
  source: Source,
  target: string,
  options: FetchOptions = {},
): Promise<Progress> {
  const place = await placeOf(target);
  // Short whatever the target's name is, since a name has at most 255 bytes.
  const partial = join(dirname(place.final), `.viaduct-${randomBytes(6).toString('hex')}.part`);
  const path = place.device ? place.final : partial;
  const file = await writing(target, () => open(path, place.device ? 'w' : 'wx', place.mode));
  try {
    // Who may read the old file may read the new one, and nobody else, whatever the umask.
    if (place.replaces) await writing(target, () => file.chmod(place.mode));
    const progress = await fetchFile(
      source,
      (chunk) => writing(target, () => writeAll(file, chunk)),
      options,
    );
    if (!place.device) await publish(file, path, place);
    return progress;
  } catch (error) {
    if (!place.device) await rm(path, { force: true }).catch(() => {});
    throw error;
  } finally {
    await file.close().catch(() => {});
  }
}
