import { constants } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ViaductError } from '../errors.js';
import { open } from '../files/fs.js';
import { lockFile } from '../files/lock.js';
import { PRIVATE_MODE } from '../files/ownership.js';
import { writePrivateFile } from '../files/private-file.js';
import { withWriteErrors } from '../files/write-error.js';
import { type StateFile, pathOfStateFile, readStateFile } from './state-file.js';
import { createStateFolder } from './state-folder.js';

/** How long a change waits for those of other processes, each of which takes milliseconds. */
const LOCK_MS = 10_000;
/** Between attempts to get the lock. */
const PAUSE_MS = 20;

/** What a change does to the content of a file. */
export interface Edit<R> {
  readonly result: R;
  /** The new text; without it the file stays as it is. */
  readonly text?: string;
}

/**
 * Changes a file of the state folder in one step, so that parallel changes lose nothing. Without anything to change, nothing
 * is written or locked.
 * @param edit may be called several times; the last one counts
 * @throws ViaductError READ_FAILED, WRITE_FAILED or BUSY
 */
export async function changeStateFile<T, R>(
  stateFolder: string,
  file: StateFile<T>,
  edit: (content: T) => Edit<R>,
): Promise<R> {
  const deadline = performance.now() + LOCK_MS;
  for (;;) {
    // Also before the file is opened for the lock: it may be unsafe to use.
    const { result, text } = edit(await readStateFile(stateFolder, file));
    if (text === undefined) return result;
    await createStateFolder(stateFolder);
    try {
      const changed = await tryChange(stateFolder, file, edit);
      if (changed !== undefined) return changed.result;
    } catch (error) {
      const isBusy = error instanceof ViaductError && error.code === 'BUSY';
      if (!isBusy || performance.now() > deadline) throw error;
      // Not in step with the others that wait.
      await sleep(PAUSE_MS * (0.5 + Math.random()));
    }
  }
}

/** Undefined if another process has replaced the file before it was locked. */
async function tryChange<T, R>(
  stateFolder: string,
  file: StateFile<T>,
  edit: (content: T) => Edit<R>,
): Promise<Edit<R> | undefined> {
  const path = pathOfStateFile(stateFolder, file);
  return withWriteErrors(path, async () => {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(path, flags, PRIVATE_MODE);
    try {
      const lock = await lockFile(handle, path, path);
      if (lock === undefined) return undefined;
      try {
        const edited = edit(await readStateFile(stateFolder, file));
        if (edited.text === undefined) return edited;
        // Nothing is written that could not be read again.
        file.parse(path, edited.text);
        await writePrivateFile(path, edited.text);
        return edited;
      } finally {
        await lock.release();
      }
    } finally {
      await handle.close();
    }
  });
}
