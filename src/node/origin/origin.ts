import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import fresh from 'fresh';
import { mimes } from 'mrmime';
import { ViaductError } from '../../errors.js';
import { STATUS_NAME, encodeSegment } from '../../route/url.js';
import type { Field, RequestHead } from '../../wire/http/head.js';
import type { AddressClass } from '../access/address.js';
import type { NodeContext } from '../context.js';
import { freshnessOf, headersOf, preconditionsHold, rangeOf } from './conditions.js';
import { DIGEST_AT_ONCE_BYTES, digestField, wantsDigest } from './digests.js';
import { asOf, checkUnchanged, wantedVersion } from './growth.js';
import { listFolder } from './listing.js';
import type { Reply } from './reply.js';
import type { ServedFile, ServedFolder } from './root.js';
import { statusReply } from './status.js';
import { readUnsized } from './unsized.js';

/** A reply and what it holds open. */
export interface OriginReply {
  readonly reply: Reply;
  /** To be called when the reply was sent, or cannot be. */
  close(): Promise<void>;
}

/**
 * The reply to a request for something of this node: a file, a folder's listing, or the node's status.
 * @param client the class of the client
 * @throws ViaductError of the root, or PRECONDITION_FAILED or RANGE_NOT_SATISFIABLE
 */
export async function openReply(
  node: NodeContext,
  request: RequestHead,
  name: string,
  client: AddressClass,
): Promise<OriginReply> {
  if (name === STATUS_NAME) return { reply: statusReply(node, client), close: async () => {} };
  const opened = await node.root.open(name);
  try {
    return { reply: await replyFor(node, request, opened, name), close: () => opened.handle.close() };
  } catch (error) {
    await opened.handle.close();
    throw error;
  }
}

async function replyFor(
  node: NodeContext,
  request: RequestHead,
  opened: ServedFile | ServedFolder,
  name: string,
): Promise<Reply> {
  if (opened.kind === 'file') {
    if (name.endsWith('/')) throw new ViaductError('NOT_FOUND', 'a file has no slash at its end');
    return fileOrContent(node, request, opened, name);
  }
  const isFolderPath = name === '' || name.endsWith('/');
  return isFolderPath ? listFolder(opened, name, node.root, request) : redirect(name);
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

/** A file whose size is known, or the content of one whose size is not. */
async function fileOrContent(
  node: NodeContext,
  request: RequestHead,
  file: ServedFile,
  name: string,
): Promise<Reply> {
  const content = await readUnsized(file);
  if (content === undefined) return fileReply(node, request, asOf(file, wantedVersion(request)), name);
  const version = createHash('sha256').update(content).digest('hex');
  return fileReply(node, request, { ...file, size: content.length, version }, name, content);
}

/** A file, a part of it, or word that the client has it already (RFC 9110 §13 and §14). */
async function fileReply(
  node: NodeContext,
  request: RequestHead,
  file: ServedFile,
  name: string,
  content?: Buffer,
): Promise<Reply> {
  const etag = `"${file.version}"`;
  const reopen = async (): Promise<ServedFile> => asOf(await node.root.openFile(name), file.version);
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
  if (file.grownTo !== undefined) fields.push(['Viaduct-Grown', String(file.grownTo)]);
  if (fresh(freshnessOf(headers), { etag, 'last-modified': lastModified }))
    return { status: 304, fields, body: Buffer.alloc(0) };
  fields.push(['Content-Type', typeOf(name)]);
  if (wantsDigest(request)) {
    const wait = request.method === 'HEAD' || file.size <= DIGEST_AT_ONCE_BYTES;
    if (content !== undefined) fields.push(digestField(Buffer.from(file.version, 'hex').toString('base64')));
    else fields.push(...(await node.digests.fields(file.version, reopen, wait)));
  }
  const check = (): Promise<void> => checkUnchanged(file, reopen);
  const bodyOf = (start: number, length: number): Reply['body'] =>
    content?.subarray(start, start + length) ?? { handle: file.handle, start, length, check };
  const range = rangeOf(request, headers, file, etag);
  if (range === undefined) return { status: 200, fields, body: bodyOf(0, file.size) };
  fields.push(['Content-Range', `bytes ${range.start}-${range.end}/${file.size}`]);
  return { status: 206, fields, body: bodyOf(range.start, range.end - range.start + 1) };
}

/** By extension; a name without one, even `html`, has no type. */
function typeOf(name: string): string {
  const extension = extname(name).slice(1).toLowerCase();
  const type = Object.hasOwn(mimes, extension) ? mimes[extension] : undefined;
  if (type === undefined) return 'application/octet-stream';
  return /^text\/|\+xml$|\/(?:json|xml|javascript)$/.test(type) ? `${type}; charset=utf-8` : type;
}
