import { ViaductError } from '../../errors.js';
import { type RequestHead, valuesOf } from '../../wire/http/head.js';
import { type ServedFile, parseVersion, versionOf } from './served-file.js';

/* A file that only grows, such as a log: its beginning is the file as it was before. */

/**
 * Whether a file of `version` may have grown into `later`: the same inode with more bytes. Its beginning may have
 * changed too, so only a client that compares a digest can rely on this.
 */
export function hasGrown(version: string, later: string): boolean {
  const [before, after] = [parseVersion(version), parseVersion(later)];
  return before !== undefined && before.inode === after?.inode && before.size < after.size;
}

/** A file as it was in an earlier version, if it has only grown since; else the file as it is. */
export function asOf(file: ServedFile, version: string | undefined): ServedFile {
  if (version === undefined || !hasGrown(version, file.version)) return file;
  const size = parseVersion(version)?.size ?? file.size;
  return { ...file, size, version, grownTo: file.size };
}

/** The version that a client wants to go on with, although the file has grown: it compares the digest. */
export function wantedVersion({ fields }: RequestHead): string | undefined {
  const [etag = ''] = valuesOf(fields, 'viaduct-version');
  return /^"([\da-z-]{1,100})"$/.exec(etag)?.[1];
}

/**
 * Checks that an open file is still what is being sent. Growth is no change. Nor is deletion: what is open stays
 * readable.
 * @param reopen opens the name again
 * @throws ViaductError CHANGED if it was changed in place, or replaced under its name
 */
export async function checkUnchanged(
  { handle, version }: ServedFile,
  reopen: () => Promise<ServedFile>,
): Promise<void> {
  const info = await handle.stat({ bigint: true });
  const now = versionOf(info);
  if (now === version || hasGrown(version, now)) return;
  // A deletion changes ctime, and nothing else.
  if (info.nlink > 0n) throw changed('changed');
  if (parseVersion(now)?.content !== parseVersion(version)?.content) throw changed('changed');
  const other = await reopen().catch(() => undefined);
  if (other === undefined) return;
  await other.handle.close();
  throw changed('replaced');
}

function changed(how: string): ViaductError {
  return new ViaductError('CHANGED', `the file was ${how} while it was sent`);
}
