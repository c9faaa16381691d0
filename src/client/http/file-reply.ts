import { parseDictionary } from 'structured-headers';
import { type ErrorCode, ViaductError } from '../../errors.js';
import { hopError } from '../../route/hop.js';
import { parseHttpDate } from '../../wire/http/date.js';
import { type Field, type ReplyHead, fieldOf, valuesOf } from '../../wire/http/head.js';
import type { ByteRange } from '../../files/ranges.js';
import { type Version, isStrongEtag } from '../../files/version.js';
import type { Location } from '../../route/location.js';

/* Fields of requests for a file, and checks of the replies: a reply that contradicts the known version is refused. */

/** `ETag`, if it is one that tells versions apart for sure (RFC 9110 §8.8.1). */
function strongEtag(reply: ReplyHead): string | undefined {
  const etag = fieldOf(reply.fields, 'etag');
  return etag !== undefined && isStrongEtag(etag) ? etag : undefined;
}

/** `Retry-After` in ms; a second for what is not a number of seconds, or none at all. */
export function retryAfterMs(value: string): number {
  return (/^\d{1,9}$/.test(value) && Number(value) * 1000) || 1000;
}

/**
 * The version that a reply to GET carries whole, or that a reply to HEAD describes.
 * @throws ViaductError BAD_REPLY if it is of unknown size, or of another form than the file
 */
export function versionOf(reply: ReplyHead, location: Location): Version {
  refuseCoding(reply, location);
  const size = Number(fieldOf(reply.fields, 'content-length') ?? NaN);
  if (Number.isNaN(size)) throw originError(location, 'BAD_REPLY', 'does not tell the size of the file');
  return { etag: strongEtag(reply), size };
}

/** `Last-Modified`, if it is a date. */
export function modifiedOf(reply: ReplyHead): Date | undefined {
  const modified = parseHttpDate(fieldOf(reply.fields, 'last-modified') ?? '');
  return modified === undefined ? undefined : new Date(modified);
}

/** The size of the file by now, if the reply is about an earlier version that has only grown, or was renamed, since. */
export function grownTo(reply: ReplyHead): number | undefined {
  const size = fieldOf(reply.fields, 'viaduct-grown');
  return size !== undefined && /^\d{1,15}$/.test(size) ? Number(size) : undefined;
}

/** The rest of the file, but all of it if it has changed (RFC 9110 §13.1.5). */
export function rangeFrom(start: number, etag: string): Field[] {
  return [
    ['Range', `bytes=${start}-`],
    ['If-Range', etag],
  ];
}

/**
 * Checks that a 206 carries the rest of a version, from `start` to its end, and nothing else.
 * @throws ViaductError CHANGED if it is of another version, BAD_REPLY if it is another part
 */
export function checkRest(reply: PartHead, version: Version, start: number, location: Location): void {
  checkRange(reply, version, { start, end: version.size }, location);
}

/**
 * Checks that a reply to a request with `If-Match` carries a part of a version and nothing else.
 * @throws ViaductError CHANGED if there is another version by now, HTTP_ERROR or BAD_REPLY for anything else
 */
export function checkPart(reply: PartHead, version: Version, range: ByteRange, location: Location): void {
  if (reply.status === 412) throw changed(location);
  if (reply.status !== 206) throw originError(location, 'HTTP_ERROR', `answered with status ${reply.status}`);
  checkRange(reply, version, range, location);
}

/** A head, and the length of the body if the head has it. */
type PartHead = ReplyHead & { readonly length?: number | undefined };

function checkRange(reply: PartHead, version: Version, { start, end }: ByteRange, location: Location): void {
  refuseCoding(reply, location);
  const range = fieldOf(reply.fields, 'content-range') ?? '';
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(range) ?? [];
  if (total === undefined) throw originError(location, 'BAD_REPLY', 'sent a part without saying which');
  if (strongEtag(reply) !== version.etag || Number(total) !== version.size) throw changed(location);
  if (Number(first) !== start || Number(last) !== end - 1 || reply.length !== end - start) {
    const wanted = `bytes ${start}-${end - 1}`;
    throw originError(
      location,
      'BAD_REPLY',
      `sent "${range}" with ${reply.length} bytes instead of ${wanted}`,
    );
  }
}

/** SHA-256 of the whole file as base64 (RFC 9530 §3), if the reply contains it. */
export function digestOf(reply: ReplyHead): string | undefined {
  try {
    const member = parseDictionary(valuesOf(reply.fields, 'repr-digest').join(', ')).get('sha-256');
    return member?.[0] instanceof ArrayBuffer ? Buffer.from(member[0]).toString('base64') : undefined;
  } catch {
    return undefined; // RFC 9651 §4.2: a field that cannot be parsed is ignored.
  }
}

export function changed(location: Location): ViaductError {
  return originError(location, 'CHANGED', 'has another version of the file by now');
}

/** An error of the last hop; `what` follows its name. */
export function originError(
  { route }: Location,
  code: ErrorCode,
  what: string,
  cause?: unknown,
  hint?: string,
): ViaductError {
  const [last] = route.slice(-1);
  if (last === undefined) return new ViaductError(code, what, { cause, hint });
  return hopError(code, route.length, last, what, cause, hint);
}

function refuseCoding(reply: ReplyHead, location: Location): void {
  const coding = valuesOf(reply.fields, 'content-encoding').join(', ');
  if (coding !== '' && coding.toLowerCase() !== 'identity')
    throw originError(location, 'BAD_REPLY', 'sent the file in another coding than was asked for');
}
