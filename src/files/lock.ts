import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { ViaductError, systemCode } from '../errors.js';
import { visible } from '../text.js';
import { fileCalls } from '../system/file-calls.js';
import { link, rename, rm, writeFile } from './fs.js';
import { PRIVATE_MODE } from './ownership.js';
import { readSmallFile } from './small-file.js';
import { isSameFile } from './target.js';
import { writeError } from './write-error.js';

/** A process ID needs no more. */
const LOCK_BYTES = 64;
/** While it is created it has two names. */
const LOCK_LINKS = 2;

/** Held by one process. A kernel lock ends with the file descriptor, so also after a crash. */
export interface FileLock {
  release(): Promise<void>;
}

/**
 * Locks an open file for this process: with flock(2), or, where that is not available, with a file `PATH.lock` that
 * contains the process ID and is valid only while that process runs.
 * @param path of the open file
 * @param target the file that the user named, for messages
 * @returns undefined if the file was renamed or removed before it was locked, so that the lock is useless
 * @throws ViaductError BUSY if another process holds the lock
 */
export async function lockFile(
  file: FileHandle,
  path: string,
  target: string,
): Promise<FileLock | undefined> {
  const lock = (await kernelLock(file, target)) ?? (await lockWithFile(`${path}.lock`, target));
  try {
    if (await isSameFile(file, path)) return lock;
  } catch (error) {
    await lock.release();
    throw error;
  }
  await lock.release();
  return undefined;
}

/** Undefined if the system or the file system has no such locks. */
async function kernelLock(file: FileHandle, target: string): Promise<FileLock | undefined> {
  try {
    const locked = fileCalls()?.lock(file.fd);
    if (locked === false) throw busy(target);
    return locked === undefined ? undefined : { release: async () => {} };
  } catch (error) {
    if (error instanceof ViaductError) throw error;
    return undefined;
  }
}

async function lockWithFile(path: string, target: string): Promise<FileLock> {
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(own, String(process.pid), { flag: 'wx', mode: PRIVATE_MODE });
  try {
    while (!(await claim(own, path))) {
      const owner = await readOwner(path, target);
      if (owner === undefined) continue;
      // An empty lock is being written by its owner, on a file system without hard links.
      if (owner === '' || isAlive(Number(owner))) throw busy(target);
      await removeStale(path, `${own}.stale`, owner, target);
    }
    return { release: () => rm(path, { force: true }) };
  } finally {
    await rm(own, { force: true });
  }
}

/** Creates a lock together with its content; false if there is a lock already. */
async function claim(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path).catch(async (error: unknown) => {
      if (systemCode(error) === 'EEXIST') throw error;
      // A file system without hard links.
      await writeFile(path, String(process.pid), { flag: 'wx', mode: PRIVATE_MODE });
    });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of a process that has ended, but not one that another process has created in the meantime. */
async function removeStale(path: string, aside: string, owner: string, target: string): Promise<void> {
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  const found = await readOwner(aside, target);
  if (found !== owner) {
    await rename(aside, path);
    throw busy(target);
  }
  await rm(aside, { force: true });
}

/** The process ID in a lock, as text; undefined if there is no lock. */
async function readOwner(path: string, target: string): Promise<string | undefined> {
  const read = await readSmallFile(path, LOCK_BYTES, LOCK_LINKS);
  if (read === 'missing') return undefined;
  if ('unusable' in read) throw writeError(target, `${visible(path)} ${read.unusable}; move or delete it`);
  return read.text;
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

function busy(target: string): ViaductError {
  return new ViaductError('BUSY', `another process is writing ${visible(target)}`);
}
