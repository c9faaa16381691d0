import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Source } from '../../route/input-file.js';
import { inspectTarget, publish } from '../../files/target.js';
import { writeAll } from '../../files/write.js';
import { withWriteErrors } from '../../files/write-error.js';
import { type FetchOptions, type FetchResult, fetchFile } from './fetch.js';

/**
 * Fetches a file with the classic protocol and saves it as `path`, which is replaced only by the complete file. The
 * bytes are written to a partial file in the same folder; it is synced and renamed after a clean end, and removed
 * after a failure. A device is written in place.
 *
 * @throws ViaductError as {@link fetchFile}, or WRITE_FAILED
 */
export async function download(
  source: Source,
  path: string,
  options: FetchOptions = {},
): Promise<FetchResult> {
  const target = await inspectTarget(path);
  const { isDevice, exists, finalPath, mode } = target;
  // Independent of the target's name, since a name has at most 255 bytes.
  const partial = join(dirname(finalPath), `.viaduct-${randomBytes(6).toString('hex')}.part`);
  const written = isDevice ? finalPath : partial;
  const file = await withWriteErrors(path, () => open(written, isDevice ? 'w' : 'wx', mode));
  try {
    // The permissions of the file that is replaced, whatever the umask is.
    if (exists) await withWriteErrors(path, () => file.chmod(mode));
    const result = await fetchFile(
      source,
      (chunk) => withWriteErrors(path, () => writeAll(file, chunk)),
      options,
    );
    if (!isDevice) await publish(file, partial, target);
    return result;
  } catch (error) {
    if (!isDevice) await rm(partial, { force: true }).catch(() => {});
    throw error;
  } finally {
    await file.close().catch(() => {});
  }
}
