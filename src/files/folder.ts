import { lstat, mkdir, stat } from 'node:fs/promises';
import { systemCode } from '../errors.js';
import { withWriteErrors, writeError } from './write-error.js';

/**
 * Creates a folder, unless it exists.
 * @param isTop the user named it: missing parents are created, and it may be a symbolic link to a folder
 * @throws ViaductError WRITE_FAILED
 */
export async function createFolder(path: string, isTop: boolean): Promise<void> {
  await withWriteErrors(path, async () => {
    try {
      await mkdir(path, { recursive: isTop });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    const existing = isTop ? await stat(path) : await lstat(path);
    if (!existing.isDirectory()) throw writeError(path, 'it already exists and is not a folder');
  });
}
