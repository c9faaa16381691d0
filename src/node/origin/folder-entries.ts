import type { Dirent } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fsPath, nameOfBytes } from '../../route/name.js';
import type { Root } from './root.js';
import type { ServedFolder } from './served-folder.js';
import type { Slices } from './slices.js';

/** Something in a folder. */
export interface FolderEntry {
  readonly name: string;
  /** Undefined if the name is hidden or kept secret. */
  readonly entry: Dirent | undefined;
}

/**
 * Reads a folder as its clients may see it, in no order: without what is served elsewhere, or is the node's own.
 * @param name of the folder, relative to the root; empty for the root
 */
export async function* servedEntries(
  folder: ServedFolder,
  name: string,
  root: Root,
  slices: Slices,
): AsyncGenerator<FolderEntry> {
  // In latin1 a character is a byte: names need not be UTF-8.
  for await (const entry of await opendir(folder.path, { bufferSize: 1024, encoding: 'latin1' })) {
    const entryName = nameOfBytes(Buffer.from(entry.name, 'latin1'));
    if (slices.isOver) await slices.pause();
    if ((name === '' && root.reserves(entryName)) || root.leaves(folder, entryName)) continue;
    const isHidden = root.hides(entryName) || root.keepsSecret(folder, entryName);
    yield { name: entryName, entry: isHidden ? undefined : entry };
  }
}

/** Undefined for what is not served: neither file nor folder, or a link that leads out or nowhere. */
export async function isFolderEntry(
  folder: ServedFolder,
  entry: Dirent,
  name: string,
  root: Root,
): Promise<boolean | undefined> {
  if (entry.isDirectory()) return true;
  if (entry.isFile()) return false;
  if (!entry.isSymbolicLink()) return undefined;
  try {
    const path = fsPath(join(folder.path, name));
    const [real, info] = await Promise.all([realpath(path, { encoding: 'buffer' }), stat(path)]);
    if (!root.contains(nameOfBytes(real)) || !(info.isDirectory() || info.isFile())) return undefined;
    return info.isDirectory();
  } catch {
    return undefined;
  }
}
