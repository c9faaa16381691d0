import { type Stats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from '../errors.js';
import { visible } from '../text.js';
import { writeError } from './write-error.js';

/* Another user who can write to the folder may have created any file beside a target. */

/** A folder, a FIFO, a socket or a device without a driver is no file either. */
const NOT_A_FILE = new Set<string | undefined>(['EISDIR', 'ENXIO', 'ENODEV', 'EOPNOTSUPP']);
/** FreeBSD reports EMLINK, NetBSD EFTYPE for a link that O_NOFOLLOW does not follow. */
const LINK = new Set<string | undefined>(['ELOOP', 'EMLINK', 'EFTYPE']);

/**
 * Opens an existing file that viaduct keeps beside a target. Neither follows a link nor waits at a FIFO.
 * @param flags of open(2), besides O_NOFOLLOW and O_NONBLOCK
 * @param target the file that the user named, for messages
 * @param maxLinks names that the file may have
 * @throws ViaductError WRITE_FAILED if another user could have created or could change the file; system errors
 */
export async function openOwn(
  path: string,
  flags: number,
  target: string,
  maxLinks = 1,
): Promise<FileHandle> {
  const refused = (why: string): Error => writeError(target, `${visible(path)} ${why}; move or delete it`);
  let file: FileHandle;
  try {
    // Windows has neither flag; `|` takes a missing one as 0.
    file = await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemCode(error);
    if (LINK.has(code)) throw refused('is a symbolic link');
    if (NOT_A_FILE.has(code)) throw refused('is not a file');
    throw error;
  }
  try {
    const why = whyForeign(await file.stat(), process.geteuid?.(), maxLinks);
    if (why !== undefined) throw refused(why);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Why a file is not safe to use; undefined if it is. A group may write: that is what the user's own umask allowed.
 * @param userId undefined on Windows, where owner and mode mean nothing
 */
export function whyForeign(
  stats: Pick<Stats, 'isFile' | 'uid' | 'mode' | 'nlink'>,
  userId: number | undefined,
  maxLinks = 1,
): string | undefined {
  if (!stats.isFile()) return 'is not a file';
  if (stats.nlink > maxLinks) return 'has another name too (a hard link)';
  if (userId === undefined) return undefined;
  if (stats.uid !== userId) return 'belongs to another user';
  return (stats.mode & constants.S_IWOTH) === 0 ? undefined : 'can be written by all users';
}

/**
 * Reads such a file.
 * @param limit of its size, in bytes
 * @returns undefined if there is no file
 * @throws as {@link openOwn}, and WRITE_FAILED if the file is larger than the limit
 */
export async function readOwn(
  path: string,
  limit: number,
  target: string,
  maxLinks = 1,
): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await openOwn(path, constants.O_RDONLY, target, maxLinks);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.allocUnsafe(Math.min((await file.stat()).size, limit) + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < bytes.length; length += read)
      read = (await file.read(bytes, length, bytes.length - length, length)).bytesRead;
    if (length > limit) throw writeError(target, `${visible(path)} is too large; move or delete it`);
    return bytes.toString('utf8', 0, length);
  } finally {
    await file.close();
  }
}
