import type { Signal } from '../../signal.js';
import { createHash } from 'node:crypto';
import fresh from 'fresh';
import { SMALL_FILE_BYTES } from '../../defaults.js';
import { ViaductError, asViaductError } from '../../errors.js';
import { encodeSegment, queryOf } from '../../route/url.js';
import { archiveAsked } from '../../wire/http/archive.js';
import { type Field, type RequestHead, valuesOf } from '../../wire/http/head.js';
import type { Decision } from '../access/readers.js';
import type { NodeContext } from '../context.js';
import { archiveReply } from './archive/archive-reply.js';
import { freshnessOf, headersOf, preconditionsHold, rangeOf } from './conditions.js';
import { digestField, digestOf, wantsDigest } from './digests.js';
import { asOf, checkUnchanged, wantedVersion } from './growth.js';
import { listFolder } from './listing/listing.js';
import { mimeOf } from './mime.js';
import { wantsPartDigests } from './part-digests.js';
import { type Reply, redirectReply } from './reply.js';
import type { Root } from './root.js';
import type { ServedFolder } from './served-folder.js';
import type { ServedFile } from './served-file.js';
import { wholeOf } from './whole.js';
import { measured } from './unsized.js';

/** A file up to this size is read before the head of its reply is sent. */
const SENT_WHOLE_BYTES = 64 * 1024;

/** Browsers ask for it with every page. */
const FAVICON = 'favicon.ico';

/** A reply and what it holds open. */
export interface OriginReply {
  readonly reply: Reply;
  /** To be called when the reply was sent, or cannot be. */
  close(): Promise<void>;
}

const NO_FAVICON: OriginReply = {
  reply: { status: 204, fields: [['Cache-Control', 'max-age=86400']], body: Buffer.alloc(0) },
  close: async () => {},
};

/** Who asks for what, as far as it matters for a reply. */
interface Asker {
  readonly network: string;
  readonly decision: Decision;
  /** At the origin, percent-encoded, with its link and query. */
  readonly path: string;
  /** The client is gone. */
  readonly signal: Signal;
}

/**
 * The reply to a request for something of the root: a file, or a folder's listing.
 * @throws ViaductError ACCESS_DENIED, of the root, or PRECONDITION_FAILED or RANGE_NOT_SATISFIABLE
 */
export async function openReply(
  node: NodeContext,
  request: RequestHead,
  name: string,
  { network, decision, path, signal }: Asker,
): Promise<OriginReply> {
  if (!decision.allowed) {
    if (name === FAVICON) return NO_FAVICON;
    throw decision.refusal;
  }
  const { root, shares } = decision;
  let opened: ServedFile | ServedFolder;
  try {
    opened = await node.turns.run(network, () => root.open(name));
  } catch (error) {
    if (name !== FAVICON || asViaductError(error).code !== 'NOT_FOUND') throw error;
    return NO_FAVICON;
  }
  const held: Held = [];
  const close = async (): Promise<void> => {
    for (const release of held) release();
    await opened.handle?.close();
  };
  try {
    return {
      reply: await replyFor(
        { node, root, shares, request, name, path, client: network, signal, held },
        opened,
      ),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Called when the reply was sent, or cannot be. */
type Held = (() => void)[];

interface Asked {
  readonly node: NodeContext;
  readonly root: Root;
  readonly shares: ReadonlyMap<string, Root>;
  readonly request: RequestHead;
  /** Relative to the root. */
  readonly name: string;
  readonly path: string;
  /** The client's network. */
  readonly client: string;
  readonly signal: Signal;
  readonly held: Held;
}

async function replyFor(asked: Asked, opened: ServedFile | ServedFolder): Promise<Reply> {
  const { node, root, shares, request, name, path, client, signal } = asked;
  if (opened.kind === 'file') {
    if (name.endsWith('/')) throw new ViaductError('NOT_FOUND', 'a file has no slash at its end');
    return fileOrContent(asked, opened);
  }
  const isFolderPath = name === '' || name.endsWith('/');
  if (!isFolderPath)
    return redirectReply(`./${encodeSegment(name.split('/').at(-1) ?? '')}/${queryOf(path)}`);
  const kind = archiveAsked(path);
  if (kind !== undefined) return archiveReply({ ...asked, folder: opened }, kind);
  return listFolder(
    { folder: opened, name, path, root, shares, reader: node.folderNames, client, signal },
    request,
    asked.held,
  );
}

/** A file whose size is known, or the content of one whose size is not. */
async function fileOrContent(asked: Asked, opened: ServedFile): Promise<Reply> {
  const { file, content } = await measured(opened);
  if (content === undefined) return fileReply(asked, asOf(file, wantedVersion(asked.request)));
  const version = createHash('sha256').update(content).digest('hex');
  return fileReply(asked, { ...file, size: content.length, version }, content);
}

/** A file, a part of it, or word that the client has it already (RFC 9110 §13 and §14). */
async function fileReply(
  { node, root, request, name, client, held }: Asked,
  file: ServedFile,
  content?: Buffer,
): Promise<Reply> {
  const etag = `"${file.version}"`;
  const reopen = async (): Promise<ServedFile> => asOf(await root.openFile(name), file.version);
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
  // A cache may keep no version for others that only its client has named.
  if (content === undefined) fields.push(['Vary', 'Viaduct-Version']);
  const isEarlier = file.grownTo !== undefined;
  if (isEarlier) fields.push(['Viaduct-Grown', String(file.grownTo)]);
  if (fresh(freshnessOf(headers), { etag, 'last-modified': lastModified }))
    return { status: 304, fields, body: Buffer.alloc(0) };
  if (content === undefined && wantsPartDigests(request)) {
    fields.push(['Content-Type', 'application/json']);
    const { text, release } = node.partDigests.open(file, client);
    held.push(release);
    return { status: 200, fields, body: text };
  }
  fields.push(['Content-Type', typeOf(name)]);
  const wantDigest = wantsDigest(request);
  const whole = content ?? (await wholeIfSmall(request, file, wantDigest));
  if (wantDigest) {
    const { version, size } = file;
    if (whole !== undefined) fields.push(digestField(digestOf(whole)));
    else {
      const digest = node.digests.want({ version, size, isEarlier, client, reopen });
      held.push(digest.release);
      fields.push(...(await digest.fields(request.method === 'HEAD' || size <= SMALL_FILE_BYTES)));
    }
  }
  const check = (): Promise<void> => checkUnchanged(file, reopen);
  const bodyOf = (start: number, length: number): Reply['body'] =>
    whole?.subarray(start, start + length) ?? { handle: file.handle, start, length, check };
  const range = rangeOf(request, headers, file, etag);
  if (range === undefined) return { status: 200, fields, body: bodyOf(0, file.size) };
  fields.push(['Content-Range', `bytes ${range.start}-${range.end}/${file.size}`]);
  return { status: 206, fields, body: bodyOf(range.start, range.end - range.start + 1) };
}

/** Read at once, so that the digest needs no second reading, and head and body leave together. */
async function wholeIfSmall(
  { method, fields }: RequestHead,
  file: ServedFile,
  wantDigest: boolean,
): Promise<Buffer | undefined> {
  if (method !== 'GET' || file.size > (wantDigest ? SMALL_FILE_BYTES : SENT_WHOLE_BYTES)) return undefined;
  if (!wantDigest && valuesOf(fields, 'range').length > 0) return undefined;
  return wholeOf(file).catch(() => undefined);
}

function typeOf(name: string): string {
  const type = mimeOf(name);
  if (type === undefined) return 'application/octet-stream';
  return /^text\/|\+xml$|\/(?:json|xml|javascript)$/.test(type) ? `${type}; charset=utf-8` : type;
}
