import { type Stats, constants, fstatSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../errors.js';
import { visible } from '../text.js';
import { link, lstat, open, realpath, rename, rm, stat } from './fs.js';
import { setMode } from './ownership.js';
import { withWriteErrors, writeError } from './write-error.js';

/** A path under which a file will be saved, and what exists there now. */
export interface SaveTarget {
  /** The path as the caller gave it, for messages. */
  readonly path: string;
  /** The path with symbolic links resolved: a link is kept, and the file that it points to is replaced. */
  readonly finalPath: string;
  /** A device: it is written in place, without a partial file. */
  readonly isDevice: boolean;
  /** A file exists and will be replaced. */
  readonly exists: boolean;
  /** Permissions for the new file: those of the existing file, if there is one, else as the umask has it. */
  readonly mode: number;
}

const NEW_FILE_MODE = 0o666;
const PERMISSIONS = 0o777;
/** With setuid, setgid and sticky. */
const MODE_BITS = 0o7777;

/**
 * Checks that a file can be saved under a path.
 * @param followLinks replace the file that a symbolic link points to; otherwise links and devices are refused
 * @throws ViaductError WRITE_FAILED if no file can be saved there
 */
export async function inspectTarget(path: string, followLinks = true): Promise<SaveTarget> {
  if (path === '' || /[/\\]$/.test(path)) throw writeError(path, 'it is not the name of a file');
  const existing = await withWriteErrors(path, () => ifExists(followLinks ? stat(path) : lstat(path)));
  if (existing?.isSymbolicLink()) throw writeError(path, 'it is a link');
  if (existing?.isDirectory())
    throw writeError(path, followLinks ? 'it is a folder; name a file in it' : 'it is a folder');
  // Opening a FIFO without a reader would block a thread, and nothing can interrupt that.
  if (existing?.isFIFO()) throw writeError(path, 'it is a FIFO; redirect standard output to it instead');
  if (existing && !existing.isFile()) {
    if (!followLinks) throw writeError(path, 'it is a device');
    return { path, finalPath: path, isDevice: true, exists: false, mode: NEW_FILE_MODE };
  }
  if (!existing && followLinks && (await isLink(path))) throw writeError(path, 'it is a broken link');
  const finalPath = existing ? await withWriteErrors(path, () => realpath(path)) : path;
  const mode = existing ? existing.mode & PERMISSIONS : NEW_FILE_MODE & ~process.umask();
  return { path, finalPath, isDevice: false, exists: existing !== undefined, mode };
}

export interface PublishOptions {
  /** Fail if a file with the final name exists by now. @default false */
  readonly keepExisting?: boolean;
  /** The path of the sidecar, which is removed. */
  readonly sidecar?: string;
}

/**
 * Gives a complete partial file its final name and permissions: sync, rename, sync of the folder. The file stays open, and therefore
 * locked, except on Windows, which cannot rename an open file.
 * @param path of the partial file
 * @throws ViaductError WRITE_FAILED, also if `path` no longer leads to the open file
 */
export async function publish(
  file: FileHandle,
  path: string,
  target: SaveTarget,
  { keepExisting = false, sidecar }: PublishOptions = {},
): Promise<void> {
  await withWriteErrors(target.path, async () => {
    if ((fstatSync(file.fd).mode & MODE_BITS) !== target.mode) await setMode(file, target.mode);
    await file.sync();
    if (!(await isSameFile(file, path)))
      throw writeError(target.path, `${visible(path)} was replaced or removed by another process`);
    if (process.platform === 'win32') await file.close();
    if (keepExisting) await renameWithoutReplacing(path, target);
    else await rename(path, target.finalPath);
    if (sidecar !== undefined) await rm(sidecar, { force: true }).catch(() => {});
    await syncFolder(dirname(target.finalPath));
  });
}

/** Whether a path leads to this open file, and not through a symbolic link. */
export async function isSameFile(file: FileHandle, path: string): Promise<boolean> {
  // Of an open file: the kernel has it.
  const own = fstatSync(file.fd);
  const named = await lstat(path).catch(() => undefined);
  return named?.ino === own.ino && named.dev === own.dev;
}

async function renameWithoutReplacing(from: string, { path, finalPath }: SaveTarget): Promise<void> {
  const createdMeanwhile = 'another process has created it in the meantime';
  try {
    await link(from, finalPath);
    await rm(from, { force: true }); // Another process may have tidied up.
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw writeError(path, createdMeanwhile);
    // Without hard links there is no way to do this in one step.
    if (await ifExists(stat(finalPath))) throw writeError(path, createdMeanwhile);
    await rename(from, finalPath);
  }
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSymbolicLink() ?? false;
}

/** @throws system errors other than ENOENT */
async function ifExists(found: Promise<Stats>): Promise<Stats | undefined> {
  try {
    return await found;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Makes the rename durable, where a folder can be opened (not on Windows, nor without read permission). The file is
 * complete under its final name by now, so a failure here does not fail the transfer.
 */
async function syncFolder(path: string): Promise<void> {
  // One sync is for all renames before it: many small files share it.
  const next = waitingSyncs.get(path) ?? nextSync(path);
  await next;
}

const runningSyncs = new Map<string, Promise<void>>();
const waitingSyncs = new Map<string, Promise<void>>();

/** Begins when the one that runs has ended. */
function nextSync(path: string): Promise<void> {
  const next = (async () => {
    await runningSyncs.get(path);
    waitingSyncs.delete(path);
    const running = syncFolderNow(path);
    runningSyncs.set(path, running);
    await running;
    if (runningSyncs.get(path) === running) runningSyncs.delete(path);
  })();
  waitingSyncs.set(path, next);
  return next;
}

async function syncFolderNow(path: string): Promise<void> {
  // If it is a FIFO by now, an open without O_DIRECTORY would block.
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY).catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close().catch(() => {});
}
