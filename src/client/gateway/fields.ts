import type { IncomingMessage } from 'node:http';
import { contentPolicy, isFolderPath } from '../../wire/http/content-policy.js';
import { type Field, type ReplyHead, fieldOf } from '../../wire/http/head.js';

/** Fields of a local client that are forwarded to the origin: the range and form that it wants, and conditions. */
const FORWARDED = [
  'Accept',
  'Range',
  'If-Range',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Unmodified-Since',
] as const;

/** Fields of a reply that a local client gets: what describes the content. The origin can neither set cookies nor allow others to read. */
const PASSED = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'Content-Range',
  'Content-Type',
  'Date',
  'ETag',
  'Last-Modified',
  'Repr-Digest',
] as const;

/** The fields of a request for the origin. */
export function forwardedFields({ headers }: IncomingMessage): Field[] {
  return FORWARDED.flatMap((name): Field[] => {
    const value = headers[name.toLowerCase()];
    return typeof value === 'string' ? [[name, value]] : [];
  });
}

/**
 * Whether a reply may be the whole file. A part cannot be compared, and an origin that is asked for the SHA-256 reads the
 * whole file for it, again and again for a player that seeks.
 */
export function mayBeWhole({ headers }: IncomingMessage): boolean {
  const { range = '' } = headers;
  return headers['if-range'] !== undefined || !/^bytes=(?:\d+-\d+|0*[1-9]\d*-|-\d+)$/.test(range);
}

/**
 * The fields of a reply for the local client, with what keeps a browser from trusting the content.
 * @param path of the request, at the origin
 */
export function passedFields({ status, fields }: ReplyHead, path: string): Field[] {
  const passed = PASSED.flatMap((name): Field[] => {
    const value = fieldOf(fields, name.toLowerCase());
    return value === undefined ? [] : [[name, value]];
  });
  // A browser may keep it, and has to ask each time.
  return [
    ...passed,
    ['Cache-Control', 'private, no-cache'],
    ...contentPolicy(passed, status === 200 && isFolderPath(path)),
  ];
}
