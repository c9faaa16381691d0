import type { Dir, Dirent } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fsPath, nameOfBytes } from '../../route/name.js';
import type { Root } from './root.js';
import type { ServedFolder } from './served-folder.js';
import type { Slices } from './slices.js';

/** Entries that are read from the system in one call: their names hold the main thread for less than a millisecond. */
const AT_ONCE = 1024;

/**
 * Takes an entry of a folder, and may return work that is to be done before the next one.
 * @param entry undefined if the name is hidden or kept secret
 */
export type TakeEntry = (name: string, entry: Dirent | undefined) => Work | undefined;

export type Work = () => Promise<void>;

/**
 * Reads a folder as its clients may see it, in no order: without what is served elsewhere, or is the node's own.
 * @param name of the folder, relative to the root; empty for the root
 * @throws what the file system throws, and what `take` or its work throws
 */
export async function readEntries(
  folder: ServedFolder,
  name: string,
  root: Root,
  slices: Slices,
  take: TakeEntry,
): Promise<void> {
  const taken = (entry: Dirent): Work | undefined => {
    const entryName = nameOfLatin1(entry.name);
    if ((name === '' && root.reserves(entryName)) || root.leaves(folder, entryName)) return undefined;
    const isHidden = root.hides(entryName) || root.keepsSecret(folder, entryName);
    const work = take(entryName, isHidden ? undefined : entry);
    return work ?? (slices.isOver ? () => slices.pause() : undefined);
  };
  // In latin1 a character is a byte: names need not be UTF-8.
  const open = await opendir(folder.path, { bufferSize: AT_ONCE, encoding: 'latin1' });
  try {
    for (let work = await readOn(open, taken); work !== undefined; work = await readOn(open, taken))
      await work();
  } finally {
    await open.close();
  }
}

/**
 * Reads entries up to one that makes work, or the last one. By callbacks: a promise for each entry takes half as long again
 * (measured).
 */
function readOn(open: Dir, take: (entry: Dirent) => Work | undefined): Promise<Work | undefined> {
  return new Promise((resolve, reject) => {
    const next = (): void =>
      open.read((error, entry) => {
        if (error !== null) return reject(error);
        if (entry === null) return resolve(undefined);
        try {
          const work = take(entry);
          if (work === undefined) next();
          else resolve(work);
        } catch (thrown) {
          reject(thrown);
        }
      });
    next();
  });
}

function nameOfLatin1(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : nameOfBytes(Buffer.from(text, 'latin1'));
}

/** Where a link leads. Undefined for one that leads out, nowhere, or to what is neither file nor folder. */
export async function kindOfTarget(
  folder: ServedFolder,
  name: string,
  root: Root,
): Promise<'folder' | 'file' | undefined> {
  try {
    const path = fsPath(join(folder.path, name));
    const [real, info] = await Promise.all([realpath(path, { encoding: 'buffer' }), stat(path)]);
    if (!root.contains(nameOfBytes(real))) return undefined;
    return info.isDirectory() ? 'folder' : info.isFile() ? 'file' : undefined;
  } catch {
    return undefined;
  }
}
