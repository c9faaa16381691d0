import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { systemCode } from '../errors.js';
import { visible } from '../text.js';
import { type FileLock, lockFile } from './lock.js';
import { openOwn } from './own-file.js';
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
 * @throws ViaductError BUSY if another process has locked it; WRITE_FAILED if viaduct did not create the files, or not for
 *   this user;
 *   system errors
 */
export async function openPartial(paths: PartialPaths, target: SaveTarget): Promise<OpenedPartial> {
  const { file, lock, isNew } = await openLocked(paths, target);
  try {
    const { size: length } = await file.stat();
    const sidecar = await readOwnSidecar(paths, length, target);
    if (target.exists) await file.chmod(partialMode(target.mode));
    return { paths, file, lock, sidecar, length };
  } catch (error) {
    if (isNew) await rm(paths.partial, { force: true });
    await file.close();
    await lock.release();
    throw error;
  }
}

interface LockedPartial extends Pick<OpenedPartial, 'file' | 'lock'> {
  readonly isNew: boolean;
}

/** Tries again if another process renamed or removed the file before it was locked. */
async function openLocked({ partial }: PartialPaths, target: SaveTarget): Promise<LockedPartial> {
  for (;;) {
    const created = await createPartial(partial, target.mode);
    const file = created ?? (await openExisting(partial, target));
    if (file === undefined) continue;
    try {
      const lock = await lockFile(file, partial, target.path);
      if (lock !== undefined) return { file, lock, isNew: created !== undefined };
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

/**
 * The mode of the file that is replaced comes only with the final name: until then the owner can resume the transfer,
 * and not all users can change it.
 */
function partialMode(mode: number): number {
  return (mode | constants.S_IRUSR | constants.S_IWUSR) & ~constants.S_IWOTH;
}

/** Undefined if the file exists. */
async function createPartial(path: string, mode: number): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'wx+', partialMode(mode));
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return undefined;
    throw error;
  }
}

/** Undefined if the file is gone. */
async function openExisting(path: string, target: SaveTarget): Promise<FileHandle | undefined> {
  try {
    return await openOwn(path, constants.O_RDWR, target.path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined if there is no sidecar and the partial file is empty. */
async function readOwnSidecar(
  { partial, sidecar }: PartialPaths,
  length: number,
  { path }: SaveTarget,
): Promise<Sidecar | undefined> {
  const read = await readSidecar(sidecar, path);
  const foreign = read === 'foreign' ? sidecar : read === 'missing' && length > 0 ? partial : undefined;
  if (foreign !== undefined)
    throw writeError(path, `${visible(foreign)} was not created by viaduct; move or delete it`);
  return typeof read === 'string' ? undefined : read;
}
