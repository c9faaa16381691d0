import { extname } from 'node:path';
import fresh from 'fresh';
import { mimes } from 'mrmime';
import parseRange from 'range-parser';
import { ViaductError } from '../../errors.js';
import { DIGEST_AT_ONCE_BYTES, wantsDigest } from './digests.js';
import { STATUS_NAME, encodeSegment } from '../../route/url.js';
import { parseHttpDate } from '../../wire/http/date.js';
import { type Field, type RequestHead, valuesOf } from '../../wire/http/head.js';
import type { Connection } from '../connection.js';
import type { ServedFile } from './root.js';
import { RangeNotSatisfiable } from '../http/error.js';
import { listFolder } from './listing.js';
import { type Reply, sendReply } from '../http/reply.js';
import { statusReply } from './status.js';

/**
 * Answers a request for something of this node: a file, a folder's listing, or the node's status.
 * @throws ViaductError of the root, or PRECONDITION_FAILED or RANGE_NOT_SATISFIABLE, before a byte is sent
 */
export async function replyAsOrigin(
  connection: Connection,
  request: RequestHead,
  name: string,
  close: boolean,
): Promise<void> {
  const { node, transfer } = connection;
  transfer.serving(name);
  if (name === STATUS_NAME) return sendReply(connection, request, statusReply(connection, request), close);
  const opened = await node.root.open(name);
  try {
    if (opened.kind === 'file') {
      if (name.endsWith('/')) throw new ViaductError('NOT_FOUND', 'a file has no slash at its end');
      return await sendReply(connection, request, await fileReply(connection, request, opened, name), close);
    }
    const isFolderPath = name === '' || name.endsWith('/');
    const reply = isFolderPath ? await listFolder(opened, name, node.root, request) : redirect(name);
    await sendReply(connection, request, reply, close);
  } finally {
    await opened.handle.close();
  }
}

/** Relative, so that it keeps the route in front of it. */
function redirect(name: string): Reply {
  const last = name.split('/').at(-1) ?? '';
  return {
    status: 301,
    fields: [
      ['Location', `./${encodeSegment(last)}/`],
      ['Cache-Control', 'no-cache'],
    ],
    body: Buffer.alloc(0),
  };
}

/** A file, a part of it, or word that the client has it already (RFC 9110 §13 and §14). */
async function fileReply(
  { node }: Connection,
  request: RequestHead,
  file: ServedFile,
  name: string,
): Promise<Reply> {
  const etag = `"${file.version}"`;
  const lastModified = file.modified.toUTCString();
  const headers = headersOf(request);
  if (!preconditionsHold(headers, etag, file.modified)) {
    throw new ViaductError('PRECONDITION_FAILED', 'the file is not the one that the request means');
  }
  const fields: Field[] = [
    ['ETag', etag],
    ['Last-Modified', lastModified],
    ['Cache-Control', 'no-cache'],
    ['Accept-Ranges', 'bytes'],
  ];
  if (fresh(freshnessOf(headers), { etag, 'last-modified': lastModified }))
    return { status: 304, fields, body: Buffer.alloc(0) };
  fields.push(['Content-Type', typeOf(name)]);
  if (wantsDigest(request)) {
    const reopen = (): Promise<ServedFile> => node.root.openFile(name);
    const wait = request.method === 'HEAD' || file.size <= DIGEST_AT_ONCE_BYTES;
    fields.push(...(await node.digests.fields(file.version, reopen, wait)));
  }
  const range = rangeOf(request, headers, file, etag);
  if (range === undefined) {
    return { status: 200, fields, body: { handle: file.handle, start: 0, length: file.size } };
  }
  fields.push(['Content-Range', `bytes ${range.start}-${range.end}/${file.size}`]);
  const body = { handle: file.handle, start: range.start, length: range.end - range.start + 1 };
  return { status: 206, fields, body };
}

/** The single range that is asked for; undefined: all of it. More than one range is answered with all, too. */
function rangeOf(
  { method }: RequestHead,
  headers: Headers,
  file: ServedFile,
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

interface Headers {
  readonly [name: string]: string | undefined;
  readonly range?: string;
}

/** Lower-case names; several lines of one field are one list. */
function headersOf({ fields }: RequestHead): Headers {
  const names = new Set(fields.map(([name]) => name.toLowerCase()));
  return Object.fromEntries([...names].map((name) => [name, valuesOf(fields, name).join(', ')]));
}

/** If-Match and If-Unmodified-Since (RFC 9110 §13.1.1, §13.1.4). */
function preconditionsHold(headers: Headers, etag: string, modified: Date): boolean {
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
function freshnessOf(headers: Headers): Record<string, string> {
  const { 'if-none-match': match, 'if-modified-since': since = '' } = headers;
  if (match !== undefined) return { 'if-none-match': match };
  const date = parseHttpDate(since);
  return date === undefined ? {} : { 'if-modified-since': new Date(date).toUTCString() };
}

/** By extension; a name without one, even if it is `html`, says nothing. */
function typeOf(name: string): string {
  const extension = extname(name).slice(1).toLowerCase();
  const type = Object.hasOwn(mimes, extension) ? mimes[extension] : undefined;
  if (type === undefined) return 'application/octet-stream';
  return /^text\/|\+xml$|\/(?:json|xml|javascript)$/.test(type) ? `${type}; charset=utf-8` : type;
}
