import { ViaductError } from '../../errors.js';
import { type RequestHead, valuesOf } from '../../wire/http/head.js';
import { type ServedFile, parseVersion, versionOf } from './served-file.js';

/* A file that only grows, such as a log, or is renamed: the bytes of an earlier version are still there. */

/**
 * Whether a file of `version` may have become `later` without a change of its bytes: the same inode, and either more bytes or
 * the same size and time of writing (it was renamed, linked or deleted, or its mode was set). A program can write at the
 * beginning too, or set the time back, so only a client that compares a digest can rely on this.
 */
export function mayBegin(later: string, version: string): boolean {
  const [before, after] = [parseVersion(version), parseVersion(later)];
  if (before === undefined || before.inode !== after?.inode) return false;
  return before.size < after.size || before.content === after.content;
}

/** A file as it was in an earlier version, if its bytes may still be there; else the file as it is. */
export function asOf(file: ServedFile, version: string | undefined): ServedFile {
  if (version === undefined || version === file.version || !mayBegin(file.version, version)) return file;
  const size = parseVersion(version)?.size ?? file.size;
  return { ...file, size, version, grownTo: file.size };
}

/** The version that a client wants to go on with, although the file has grown or was renamed: it compares the digest. */
export function wantedVersion({ fields }: RequestHead): string | undefined {
  const [etag = ''] = valuesOf(fields, 'viaduct-version');
  return /^"([\da-z-]{1,100})"$/.exec(etag)?.[1];
}

/**
 * Checks that an open file is still what is being sent. Growth is no change. Nor is another name or mode, nor deletion: what is
 * open stays readable.
 * @param reopen opens the name again
 * @throws ViaductError CHANGED if it was changed in place, or replaced under its name
 */
export async function checkUnchanged(
  { handle, version, size }: ServedFile,
  reopen: () => Promise<ServedFile>,
): Promise<void> {
  const info = await handle.stat({ bigint: true });
  const now = versionOf(info);
  if (now === version) return;
  if (!mayBegin(now, version)) throw changed('changed');
  if (info.size > size) return;
  const other = await reopen().catch(() => undefined);
  await other?.handle.close();
  if (other !== undefined && other.version !== version) throw changed('replaced');
}

function changed(how: string): ViaductError {
  return new ViaductError('CHANGED', `the file was ${how} while it was sent`);
}
