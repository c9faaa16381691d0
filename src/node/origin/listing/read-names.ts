import type { Dir, Dirent } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fsPath, nameOfBytes } from '../../../route/name.js';
import type { Root } from '../root.js';
import type { ServedFolder } from '../served-folder.js';
import type { Slices } from '../slices.js';
import { Names } from './names.js';

/** Entries that are read from the system in one call: their names hold the main thread for less than a millisecond. */
const AT_ONCE = 1024;

/**
 * Reads the names in a folder that are served.
 * @param name of the folder, relative to the root
 * @throws what the file system throws
 */
export async function readNames(
  folder: ServedFolder,
  name: string,
  root: Root,
  slices: Slices,
): Promise<{ readonly names: Names; readonly hasLinks: boolean }> {
  const [folders, files]: [string[], string[]] = [[], []];
  const omitted = { hidden: 0, links: 0, special: 0, unreadable: 0 };
  let hasLinks = false;
  const take = (entry: Dirent): Work | undefined => {
    const entryName = nameOfLatin1(entry.name);
    if ((name === '' && root.reserves(entryName)) || root.leaves(folder, entryName)) return undefined;
    if (root.hides(entryName) || root.keepsSecret(folder, entryName)) omitted.hidden += 1;
    else if (entry.isDirectory()) folders.push(entryName);
    else if (entry.isFile()) files.push(entryName);
    else if (entry.isSymbolicLink()) return () => follow(entryName);
    else omitted.special += 1;
    return slices.isOver ? () => slices.pause() : undefined;
  };
  const follow = async (link: string): Promise<void> => {
    hasLinks = true;
    const target = await kindOfTarget(folder, link, root);
    if (target === undefined) omitted.links += 1;
    else (target === 'folder' ? folders : files).push(link);
  };
  // In latin1 a character is a byte: names need not be UTF-8.
  const open = await opendir(folder.path, { bufferSize: AT_ONCE, encoding: 'latin1' });
  try {
    for (let work = await readOn(open, take); work !== undefined; work = await readOn(open, take))
      await work();
  } finally {
    await open.close();
  }
  return { names: new Names({ folders, files }, omitted), hasLinks };
}

type Work = () => Promise<void>;

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
        const work = take(entry);
        if (work === undefined) next();
        else resolve(work);
      });
    next();
  });
}

function nameOfLatin1(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : nameOfBytes(Buffer.from(text, 'latin1'));
}

/** Undefined for a link that leads out, nowhere, or to what is neither file nor folder. */
async function kindOfTarget(
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
