import { join } from 'node:path';
import { systemCode } from '../errors.js';
import { lstat, mkdir, mkdirAll, stat } from './fs.js';
import { withWriteErrors, writeError } from './write-error.js';

/**
 * Creates a folder, unless it exists.
 * @param isTop the user named it: missing parents are created, and it may be a symbolic link to a folder
 * @throws ViaductError WRITE_FAILED
 */
export async function createFolder(path: string, isTop: boolean): Promise<void> {
  await withWriteErrors(path, async () => {
    try {
      await (isTop ? mkdirAll(path) : mkdir(path));
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    const existing = isTop ? await stat(path) : await lstat(path);
    if (!existing.isDirectory()) throw writeError(path, 'it already exists and is not a folder');
  });
}

/** Whether a path names a folder: it ends with a slash, or a folder or a link to one exists there. */
export async function namesFolder(path: string): Promise<boolean> {
  if (path.endsWith('/')) return true;
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/**
 * The path under which a file is saved if the user names `path`: in a folder it keeps its own name, as with cp and scp.
 * A folder that is named with a slash at its end is created.
 * @throws ViaductError WRITE_FAILED
 */
export async function pathForFile(path: string, name: () => string): Promise<string> {
  if (!(await namesFolder(path))) return path;
  const target = join(path, name());
  await createFolder(path, true);
  return target;
}
