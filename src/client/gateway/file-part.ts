import type { ByteRange } from '../../files/ranges.js';
import { type Version, isStrongEtag } from '../../files/version.js';
import type { Field } from '../../wire/http/head.js';
import { IDENTITY } from '../get/origin-file.js';
import type { Reply } from '../http/reply.js';

/** What a reply carries: all of one version of a file, or a part of it. */
export interface FilePart {
  readonly version: Version & { readonly etag: string };
  readonly range: ByteRange;
}

/** The part of a file that a reply carries; undefined for what cannot be requested again from a byte on. */
export function partOf(reply: Reply): FilePart | undefined {
  const { status, length } = reply;
  const [etag, coding] = [reply.field('etag'), reply.field('content-encoding') ?? 'identity'];
  if (length === undefined || etag === undefined || !isStrongEtag(etag) || coding !== 'identity')
    return undefined;
  if (status === 200 && reply.field('accept-ranges') === 'bytes')
    return { version: { etag, size: length }, range: { start: 0, end: length } };
  const [, first = '', last = '', size] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(reply.field('content-range') ?? '') ?? [];
  const range = { start: Number(first), end: Number(last) + 1 };
  if (status !== 206 || size === undefined || range.end - range.start !== length) return undefined;
  return { version: { etag, size: Number(size) }, range };
}

export function isWhole({ version, range }: FilePart): boolean {
  return range.start === 0 && range.end === version.size;
}

/** The fields of a request for a part, of its version alone; also if the file has grown since. */
export function partFields({ version, range }: FilePart): Field[] {
  return [
    IDENTITY,
    ['Range', `bytes=${range.start}-${range.end - 1}`],
    ['If-Match', version.etag],
    ['Viaduct-Version', version.etag],
  ];
}
