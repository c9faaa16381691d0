import parseRange from 'range-parser';
import { ViaductError } from '../../errors.js';
import { parseHttpDate } from '../../wire/http/date.js';
import type { RequestHead } from '../../wire/http/head.js';
import type { ServedFile } from './served-file.js';

/* Conditional and range requests (RFC 9110 §13 and §14). */

/** Carries the file's size, which the reply has to contain (RFC 9110 §15.5.17). */
export class RangeNotSatisfiable extends ViaductError {
  readonly size: number;

  constructor(size: number) {
    super('RANGE_NOT_SATISFIABLE', `the range lies outside of the file's ${size} bytes`);
    this.size = size;
  }
}

/** The single range that is asked for; undefined: all of it. More than one range is answered with all, too. */
export function rangeOf(
  { method }: RequestHead,
  headers: Headers,
  file: Pick<ServedFile, 'size'>,
  etag: string,
): { start: number; end: number } | undefined {
  const { range, 'if-range': condition } = headers;
  if (range === undefined || method !== 'GET') return undefined;
  // RFC 9110 §13.1.5: only a strong validator counts. A date is none: a file may change twice in a second.
  if (condition !== undefined && condition !== etag) return undefined;
  // RFC 9110 §14.2: a unit that is not understood is ignored.
  if (!range.startsWith('bytes=')) return undefined;
  // range-parser refuses a suffix longer than the file; RFC 9110 §14.1.2 means all of it.
  const [, suffix] = /^bytes=\s*-(\d+)\s*$/.exec(range) ?? [];
  if (Number(suffix) > file.size) return file.size === 0 ? undefined : { start: 0, end: file.size - 1 };
  const ranges = parseRange(file.size, range);
  if (ranges === -2 || (ranges !== -1 && ranges.length !== 1)) return undefined;
  const [only] = ranges === -1 ? [] : ranges;
  if (only === undefined) throw new RangeNotSatisfiable(file.size);
  return only;
}

export interface Headers {
  readonly [name: string]: string | undefined;
  readonly range?: string;
}

/** Lower-case names; several lines of one field are one list. */
export function headersOf({ fields }: RequestHead): Headers {
  const headers = new Map<string, string>();
  for (const [name, value] of fields) {
    const before = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(headers);
}

/** If-Match and If-Unmodified-Since (RFC 9110 §13.1.1, §13.1.4). */
export function preconditionsHold(headers: Headers, etag: string, modified: Date): boolean {
  const match = headers['if-match'];
  if (match !== undefined)
    return match === '*' || [...match.matchAll(/(?:W\/)?"[^"]*"/g)].some(([tag]) => tag === etag);
  const since = parseHttpDate(headers['if-unmodified-since'] ?? '');
  return since === undefined || Math.floor(modified.getTime() / 1000) * 1000 <= since;
}

/**
 * What `fresh` is to look at: it takes what is no date for one, and does not answer 304 to a request with
 * `Cache-Control: no-cache`, which is for caches; RFC 9110 §13.1.2 wants a 304.
 */
export function freshnessOf(headers: Headers): Record<string, string> {
  const { 'if-none-match': match, 'if-modified-since': since = '' } = headers;
  if (match !== undefined) return { 'if-none-match': match };
  const date = parseHttpDate(since);
  return date === undefined ? {} : { 'if-modified-since': new Date(date).toUTCString() };
}
