import { constants } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ViaductError } from '../errors.js';
import { open } from '../files/fs.js';
import { lockFile } from '../files/lock.js';
import { PRIVATE_MODE } from '../files/ownership.js';
import { writePrivateFile } from '../files/private-file.js';
import { withWriteErrors } from '../files/write-error.js';
import { KnownHosts, readKnownHosts } from './known-hosts.js';
import { createStateFolder } from './state-folder.js';

/** How long a change waits for those of other processes, each of which takes milliseconds. */
const LOCK_MS = 10_000;
/** Between attempts to get the lock. */
const PAUSE_MS = 20;

/**
 * Adds a host, unless its name is known already.
 * @returns false if the name is known with another pin, which stays
 * @throws ViaductError READ_FAILED, WRITE_FAILED or BUSY
 */
export async function addKnownHost(stateFolder: string, name: string, pin: string): Promise<boolean> {
  let isKnown = true;
  await change(stateFolder, (known) => {
    const hosts = known.lookUp(name);
    if (hosts.length === 0) return known.textWith(name, pin);
    isKnown = hosts.some((host) => host.pin === pin);
    return undefined;
  });
  return isKnown;
}

/**
 * Removes the lines of a name.
 * @returns how many there were
 * @throws ViaductError READ_FAILED, WRITE_FAILED or BUSY
 */
export async function removeKnownHost(stateFolder: string, name: string): Promise<number> {
  let removed = 0;
  await change(stateFolder, (known) => {
    removed = known.lookUp(name).length;
    return removed === 0 ? undefined : known.textWithout(name);
  });
  return removed;
}

/** Changes the file in one step, so that parallel changes lose nothing. `edit` returns the new text, if it changes any. */
async function change(stateFolder: string, edit: (known: KnownHosts) => string | undefined): Promise<void> {
  await createStateFolder(stateFolder);
  const deadline = performance.now() + LOCK_MS;
  for (;;) {
    // Also before the file is opened for the lock: it may be unsafe to use.
    const { path } = await readKnownHosts(stateFolder);
    try {
      if (await tryChange(path, () => readKnownHosts(stateFolder), edit)) return;
    } catch (error) {
      const isBusy = error instanceof ViaductError && error.code === 'BUSY';
      if (!isBusy || performance.now() > deadline) throw error;
      // Not in step with the others that wait.
      await sleep(PAUSE_MS * (0.5 + Math.random()));
    }
  }
}

/** False if another process has replaced the file before it was locked. */
async function tryChange(
  path: string,
  read: () => Promise<KnownHosts>,
  edit: (known: KnownHosts) => string | undefined,
): Promise<boolean> {
  return withWriteErrors(path, async () => {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(path, flags, PRIVATE_MODE);
    try {
      const lock = await lockFile(file, path, path);
      if (lock === undefined) return false;
      try {
        const text = edit(await read());
        if (text === undefined) return true;
        // Nothing is written that could not be read again.
        void new KnownHosts(path, text);
        await writePrivateFile(path, text);
      } finally {
        await lock.release();
      }
      return true;
    } finally {
      await file.close();
    }
  });
}
