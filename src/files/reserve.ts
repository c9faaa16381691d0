import { type FileHandle, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../errors.js';
import { fileCalls } from '../system/file-calls.js';
import { formatBytes } from '../text.js';
import type { SaveTarget } from './target.js';
import { writeError } from './write-error.js';

/** The file system cannot reserve space (NFS before 4.2), or does not know the call. */
const CANNOT_RESERVE = new Set<string | undefined>(['EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EINVAL']);

/**
 * Fails immediately if the disk is too full for a file, and reserves its space where the file system can.
 * @throws ViaductError WRITE_FAILED; system errors
 */
export async function reserveSpace(file: FileHandle, size: number, target: SaveTarget): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target.finalPath));
  const free = bavail * bsize;
  if (size > free) {
    const reason = `the disk is too full: ${formatBytes(size)} needed, ${formatBytes(free)} free`;
    throw writeError(target.path, reason);
  }
  if (size === 0) return;
  try {
    await fileCalls()?.allocate(file.fd, size);
  } catch (error) {
    if (!CANNOT_RESERVE.has(systemCode(error))) throw error;
  }
}
