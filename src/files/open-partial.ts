import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { type ViaductError, systemCode } from '../errors.js';
import { visible } from '../text.js';
import { open, rm } from './fs.js';
import { type FileLock, lockFile } from './lock.js';
import { PRIVATE_MODE, whyNotOpened, whyNotOurs } from './ownership.js';
import { type PartialPaths, isPartialName } from './partial-name.js';
import { type Sidecar, readSidecar, removeTemporary } from './sidecar.js';
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
    let { size: length } = await file.stat();
    if (length > 0 && (await isSmallLeftover(paths))) {
      await file.truncate(0);
      length = 0;
    }
    const sidecar = await readOwnSidecar(paths, length, target);
    return { paths, file, lock, sidecar, length };
  } catch (error) {
    await file.close();
    await lock.release();
    throw error;
  }
}

/** `saveSmall` writes no sidecar. What it leaves if it is killed is viaduct's by its hidden name. */
async function isSmallLeftover({ partial, sidecar }: PartialPaths): Promise<boolean> {
  return isPartialName(basename(partial)) && (await readSidecar(sidecar)) === 'missing';
}

/** A symbolic link under the name of the partial file is not followed: another user may have created it. */
const FLAGS = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Tries again if another process renamed or removed the file before it was locked. */
async function openLocked(
  { partial }: PartialPaths,
  { path }: SaveTarget,
): Promise<Pick<OpenedPartial, 'file' | 'lock'>> {
  for (;;) {
    const file = (await createPartial(partial)) ?? (await openOwn(partial, path));
    if (file === undefined) continue;
    try {
      const lock = await lockFile(file, partial, path);
      if (lock !== undefined) return { file, lock };
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

/** Undefined if it exists. */
export async function createPartial(path: string, mode = PRIVATE_MODE): Promise<FileHandle | undefined> {
  try {
    return await open(path, FLAGS | constants.O_CREAT | constants.O_EXCL, mode);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return undefined;
    throw error;
  }
}

/** Undefined if it does not exist. @throws ViaductError WRITE_FAILED if it is not this user's own */
async function openOwn(path: string, target: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, FLAGS);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    const unusable = whyNotOpened(error);
    throw unusable === undefined ? error : obstacle(target, path, unusable);
  }
  const unusable = await whyNotOurs(file);
  if (unusable === undefined) return file;
  await file.close();
  throw obstacle(target, path, unusable);
}

/** Undefined if there is no sidecar and the partial file is empty. */
async function readOwnSidecar(
  { partial, sidecar }: PartialPaths,
  length: number,
  { path }: SaveTarget,
): Promise<Sidecar | undefined> {
  const read = await readSidecar(sidecar);
  if (read === 'missing') {
    if (length > 0) throw obstacle(path, partial, 'was not created by viaduct');
    return undefined;
  }
  if (!('unusable' in read)) {
    await removeTemporary(sidecar);
    return read;
  }
  if (length === 0) await rm(partial, { force: true });
  throw obstacle(path, sidecar, read.unusable);
}

function obstacle(target: string, path: string, why: string): ViaductError {
  return writeError(target, `${visible(path)} ${why}; move or delete it`);
}
