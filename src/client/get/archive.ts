import { ViaductError } from '../../errors.js';
import type { Location } from '../../route/location.js';
import { ARCHIVE_TYPES, archiveAsked, archivePath, leftOutText } from '../../wire/http/archive.js';
import { type ReplyHead, fieldOf } from '../../wire/http/head.js';
import { originError } from '../http/file-reply.js';
import type { GetResult, SharedOptions } from './options.js';

/**
 * A download as it is made: of the archive of a folder, if one is wanted. An archive has no SHA-256, so TLS, from its origin to
 * this client, is what shows that it is whole and unchanged.
 * @throws ViaductError NO_DIGEST without TLS, unless it is not to be verified
 */
export function archiveDownload(
  location: Location,
  options: SharedOptions,
): { readonly location: Location; readonly options: SharedOptions } {
  const { archive, plain = false, verify = true, also = [] } = options;
  if (archive === undefined) return { location, options };
  if (plain && verify)
    throw new ViaductError('NO_DIGEST', 'an archive has no SHA-256 that would verify it without encryption');
  const archived = (folder: Location): Location => ({ ...folder, path: archivePath(folder.path, archive) });
  return { location: archived(location), options: { ...options, verify: false, also: also.map(archived) } };
}

/** Checks that a reply is an archive, if one was requested: a node of version 0.2 sends the listing of the folder. @throws ViaductError HTTP_ERROR */
export function checkArchive(reply: ReplyHead, location: Location): void {
  const asked = archiveAsked(location.path);
  if (asked === undefined || fieldOf(reply.fields, 'content-type') === ARCHIVE_TYPES[asked]) return;
  throw originError(location, 'HTTP_ERROR', 'does not send folders as one file; use -r to fetch the folder');
}

/** The failure that an archive is not all of its folder; undefined if it is. */
export function leftOutError({ leftOut }: GetResult, location: Location): ViaductError | undefined {
  const text = leftOut === undefined ? '' : leftOutText(leftOut);
  if (text === '') return undefined;
  return originError(location, 'FORBIDDEN', `leaves out of the archive: ${text}`);
}
