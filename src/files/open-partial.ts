import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { visible } from '../text.js';
import { type FileLock, lockFile } from './lock.js';
import type { PartialPaths } from './partial-name.js';
import { type Sidecar, readSidecar } from './sidecar.js';
import type { SaveTarget } from './target.js';
import { writeError } from './write-error.js';

/** A partial file that this process has opened and locked. */
export interface OpenedPartial {
  readonly paths: PartialPaths;
  readonly file: FileHandle;
  readonly lock: FileLock;
  /** Undefined if the partial file is new. */
  readonly sidecar: Sidecar | undefined;
  /** Length of the partial file, in bytes. */
  readonly length: number;
}

/**
 * Opens or creates a partial file, locks it, and reads its sidecar.
 * @throws ViaductError BUSY if another process has locked it; WRITE_FAILED if viaduct did not create the files;
 *   system errors
 */
export async function openPartial(paths: PartialPaths, target: SaveTarget): Promise<OpenedPartial> {
  const { file, lock } = await openLocked(paths, target);
  try {
    const { size: length } = await file.stat();
    const sidecar = await readOwnSidecar(paths, length, target);
    if (target.exists) await file.chmod(target.mode);
    return { paths, file, lock, sidecar, length };
  } catch (error) {
    await file.close();
    await lock.release();
    throw error;
  }
}

/** A symbolic link under the name of the partial file is not followed: another user may have created it. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/** Tries again if another process renamed or removed the file before it was locked. */
async function openLocked(
  { partial }: PartialPaths,
  { path, mode }: SaveTarget,
): Promise<Pick<OpenedPartial, 'file' | 'lock'>> {
  for (;;) {
    const file = await open(partial, FLAGS, mode);
    try {
      if (!(await file.stat()).isFile()) throw writeError(path, `${visible(partial)} is not a file`);
      const lock = await lockFile(file, partial, path);
      if (lock !== undefined) return { file, lock };
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

/** Undefined if there is no sidecar and the partial file is empty. */
async function readOwnSidecar(
  { partial, sidecar }: PartialPaths,
  length: number,
  { path }: SaveTarget,
): Promise<Sidecar | undefined> {
  const read = await readSidecar(sidecar);
  if (read === 'foreign' && length === 0) await rm(partial, { force: true });
  const foreign = read === 'foreign' ? sidecar : read === 'missing' && length > 0 ? partial : undefined;
  if (foreign !== undefined)
    throw writeError(path, `${visible(foreign)} was not created by viaduct; move or delete it`);
  return typeof read === 'string' ? undefined : read;
}
