import { type FileHandle, readFile, rm, writeFile } from 'node:fs/promises';
import { ViaductError, systemCode } from '../errors.js';
import { visible } from '../route.js';
import { fileCalls } from '../system/file-calls.js';
import { isAt } from './place.js';

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
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' });
      return { release: () => rm(path, { force: true }) };
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (isAlive(owner)) throw busy(target);
    await rm(path, { force: true });
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
