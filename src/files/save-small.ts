import type { FileHandle } from 'node:fs/promises';
import { rm } from './fs.js';
import { type FileLock, lockInode } from './lock.js';
import { createPartial } from './open-partial.js';
import { PRIVATE_MODE, WRITABLE_BY_OTHERS } from './ownership.js';
import { partialPathsOf } from './partial-name.js';
import { inspectTarget, isSameFile, publish } from './target.js';
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
    const mode = target.exists ? PRIVATE_MODE : target.mode & ~WRITABLE_BY_OTHERS;
    file = await createPartial(partial, mode);
    if (file === undefined) return false;
    // If it was removed before, it is not published.
    lock = await lockInode(file, partial, path);
    isOurs = true;
    writeAllSync(file, bytes, 0);
    if (modified) await file.utimes(modified, modified);
    await publish(file, partial, target, { hasMode: mode === target.mode });
    isOurs = false;
    return true;
  } catch {
    return false;
  } finally {
    if (isOurs && file && (await isSameFile(file, partial).catch(() => false)))
      await rm(partial, { force: true }).catch(() => {});
    await file?.close().catch(() => {});
    await lock?.release().catch(() => {});
  }
}
