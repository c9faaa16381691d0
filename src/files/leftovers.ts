import { lstat, readdir, rm } from './fs.js';
import { openPartial } from './open-partial.js';
import { isPartialName, partialPathsOf } from './partial-name.js';
import { readSidecar } from './sidecar.js';
import { inspectTarget } from './target.js';

/** Whether a folder contains files with hidden names, of a transfer that runs or was killed. */
export async function hasLeftovers(folder: string): Promise<boolean> {
  return (await readdir(folder).catch(() => [])).some(isPartialName);
}

/**
 * Removes what a process left that was killed after it had given a file its final name: the sidecar, and a second name of
 * the file if it was not to replace another. A partial file with other content stays, as do the files of a process that
 * runs.
 * @param path the final path
 * @param hidden as in {@link partialPathsOf}
 */
export async function removeLeftovers(path: string, hidden: boolean): Promise<void> {
  const { partial, sidecar } = partialPathsOf(path, hidden);
  try {
    const [file, second, known] = await Promise.all([
      lstat(path),
      lstat(partial).catch(() => undefined),
      readSidecar(sidecar),
    ]);
    // Without a sidecar nothing here is viaduct's, unless its hidden name is: `saveSmall` was killed.
    const isSmall = known === 'missing' && hidden;
    if ((known === 'missing' && !isSmall) || (known !== 'missing' && 'unusable' in known)) return;
    if (isSmall && second === undefined) return;
    if (second !== undefined && !isSmall) {
      const isSame = second.ino === file.ino && second.dev === file.dev && second.size === file.size;
      if (!isSame || second.nlink < 2) return;
      await rm(partial);
    }
    // Locked, so that the sidecar of a process that has just begun stays.
    const opened = await openPartial({ partial, sidecar }, await inspectTarget(path, false));
    try {
      if (opened.length > 0) return;
      await rm(sidecar, { force: true });
      await rm(partial, { force: true });
    } finally {
      await opened.file.close();
      await opened.lock.release();
    }
  } catch {
    // Only tidiness is lost.
  }
}
