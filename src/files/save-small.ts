import type { FileHandle } from 'node:fs/promises';
import { rm } from './fs.js';
import { type FileLock, lockFile } from './lock.js';
import { createPartial } from './open-partial.js';
import { PRIVATE_MODE, WRITABLE_BY_OTHERS } from './ownership.js';
import { partialPathsOf } from './partial-name.js';
import { inspectTarget, publish } from './target.js';
import { writeAllSync } from './write.js';

/**
 * Saves a small file that is in memory as a whole, as a part of a folder that is fetched: nothing to resume, so no sidecar.
 * Its bytes have a hidden name until they are on the disk; see {@link partialPathsOf}.
 * @returns false if it was not saved: what is in the way, and what to say of it, `PartialFile` finds out
 */
export async function saveSmall(path: string, bytes: Buffer, modified: Date | undefined): Promise<boolean> {
  const { partial } = partialPathsOf(path, true);
  let file: FileHandle | undefined;
  let lock: FileLock | undefined;
  let isOurs = false;
  try {
    const target = await inspectTarget(path, false);
    // A new file is made as it is to be: its bytes are verified.
    file = await createPartial(
      partial,
      target.exists ? PRIVATE_MODE : PRIVATE_MODE | (target.mode & ~WRITABLE_BY_OTHERS),
    );
    if (file === undefined) return false;
    lock = await lockFile(file, partial, path);
    if (lock === undefined) return false;
    isOurs = true;
    writeAllSync(file, bytes, 0);
    if (modified) await file.utimes(modified, modified);
    await publish(file, partial, target);
    isOurs = false;
    return true;
  } catch {
    return false;
  } finally {
    if (isOurs) await rm(partial, { force: true }).catch(() => {});
    await file?.close().catch(() => {});
    await lock?.release().catch(() => {});
  }
}
