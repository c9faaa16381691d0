import { lstat } from 'node:fs/promises';
import { fsPath } from '../../../route/name.js';
import type { ServedFile } from '../served-file.js';
import type { ServedFolder } from '../served-folder.js';

/** What is listed of an entry. */
export interface EntryInfo {
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * Size and time of an entry. A link, which may have taken the place of a file since the names were read, is followed as for a
 * client that fetches it, which alone shows where it leads.
 * @param open opens it for the client
 * @throws what the file system throws; as `open`
 */
export async function entryInfo(
  path: string,
  open: () => Promise<ServedFile | ServedFolder>,
): Promise<EntryInfo> {
  const info = await lstat(fsPath(path));
  if (!info.isSymbolicLink()) return info;
  const opened = await open();
  await opened.handle?.close();
  return { size: opened.kind === 'file' ? opened.size : 0, mtimeMs: opened.modified.getTime() };
}
