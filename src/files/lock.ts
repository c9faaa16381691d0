import { randomBytes } from 'node:crypto';
import { type FileHandle, link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { ViaductError, systemCode } from '../errors.js';
import { visible } from '../text.js';
import { fileCalls } from '../system/file-calls.js';
import { isAt } from './target.js';

/** Held by one process; the kernel's ends with its file's descriptor, after a crash too. */
export interface FileLock {
  release(): Promise<void>;
}

/**
 * Locks an open file for this process: by flock(2), and where there is none, by a file `PATH.lock` with the
 * number of the process, which counts only while that process lives.
 * @returns undefined if the file has lost its name meanwhile, so that the lock means nothing
 * @throws ViaductError BUSY
 */
export async function lockFile(
  file: FileHandle,
  path: string,
  target: string,
): Promise<FileLock | undefined> {
  const lock = (await kernelLock(file, target)) ?? (await lockBeside(`${path}.lock`, target));
  try {
    if (await isAt(file, path)) return lock;
  } catch (error) {
    await lock.release();
    throw error;
  }
  await lock.release();
  return undefined;
}

/** Undefined where the system or the file system has no such locks. */
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

async function lockBeside(path: string, target: string): Promise<FileLock> {
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(own, String(process.pid), { flag: 'wx' });
  try {
    while (!(await claim(own, path))) {
      const owner = await readOwner(path);
      if (owner === undefined) continue;
      // One that is empty is being written, on a file system without links.
      if (owner === '' || isAlive(Number(owner))) throw busy(target);
      await removeStale(path, `${own}.stale`, owner, target);
    }
    return { release: () => rm(path, { force: true }) };
  } finally {
    await rm(own, { force: true });
  }
}

/** Gives a lock its name with its content in it already; false if there is one. */
async function claim(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path).catch(async (error: unknown) => {
      if (systemCode(error) === 'EEXIST') throw error;
      // A file system without links.
      await writeFile(path, String(process.pid), { flag: 'wx' });
    });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Takes a dead process's lock away, but not one that another process has put there meanwhile. */
async function removeStale(path: string, aside: string, owner: string, target: string): Promise<void> {
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  const found = await readOwner(aside);
  if (found !== owner) {
    await rename(aside, path);
    throw busy(target);
  }
  await rm(aside, { force: true });
}

/** The number of a lock's process, as text; undefined if there is no lock. */
async function readOwner(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

function busy(target: string): ViaductError {
  return new ViaductError('BUSY', `another download is writing ${visible(target)} already`);
}
