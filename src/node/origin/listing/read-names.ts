import { kindOfTarget, readEntries } from '../folder-entries.js';
import type { Root } from '../root.js';
import type { ServedFolder } from '../served-folder.js';
import type { Slices } from '../slices.js';
import { Names } from './names.js';

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
  const follow = async (link: string): Promise<void> => {
    hasLinks = true;
    const target = await kindOfTarget(folder, link, root);
    if (target === undefined) omitted.links += 1;
    else (target === 'folder' ? folders : files).push(link);
  };
  await readEntries(folder, name, root, slices, (entryName, entry) => {
    if (entry === undefined) omitted.hidden += 1;
    else if (entry.isDirectory()) folders.push(entryName);
    else if (entry.isFile()) files.push(entryName);
    else if (entry.isSymbolicLink()) return () => follow(entryName);
    else omitted.special += 1;
    return undefined;
  });
  return { names: new Names({ folders, files }, omitted), hasLinks };
}
