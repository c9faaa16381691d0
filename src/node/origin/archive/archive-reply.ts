import type { Signal } from '../../../signal.js';
import fresh from 'fresh';
import { ViaductError } from '../../../errors.js';
import { replaceBytes } from '../../../route/name.js';
import { ARCHIVE_TYPES, type ArchiveKind, leftOutFields } from '../../../wire/http/archive.js';
import { type Field, type RequestHead } from '../../../wire/http/head.js';
import type { NodeContext } from '../../context.js';
import { type Headers, freshnessOf, headersOf, preconditionsHold, rangeOf } from '../conditions.js';
import type { Reply } from '../reply.js';
import type { Root } from '../root.js';
import type { ServedFolder } from '../served-folder.js';
import { PlannedSource } from './planned-source.js';
import { archivePieces } from './pieces.js';
import type { Layout } from './piece.js';
import { TarLayout } from './tar-layout.js';
import { ZipLayout } from './zip-layout.js';

/** A request for a folder as an archive. */
interface ArchiveOf {
  readonly node: NodeContext;
  readonly folder: ServedFolder;
  /** Relative to the root, with `/` at its end; empty for the root. */
  readonly name: string;
  readonly root: Root;
  /** Folders that are in it beside its own content. */
  readonly shares: ReadonlyMap<string, Root>;
  readonly request: RequestHead;
  /** The client's network. */
  readonly client: string;
  readonly signal: Signal;
  /** Gets what is to be called when the reply was sent, or cannot be. */
  readonly held: (() => void)[];
}

/**
 * A folder as one file, of known size and version: with ranges, so that it can be resumed, and cut off where a file is no longer
 * as it was.
 * @throws ViaductError as {@link Archives.hold}; PRECONDITION_FAILED, RANGE_NOT_SATISFIABLE
 */
export async function archiveReply(of: ArchiveOf, kind: ArchiveKind): Promise<Reply> {
  const { node, root, shares, request, client, held } = of;
  const headers = conditionsOf(request);
  const top = { folder: of.folder, name: of.name, root, shares };
  const { plan, drop, release } = await node.archives.hold({
    top,
    client,
    goesOn: goesOn(headers),
    signal: of.signal,
  });
  held.push(release);
  const etag = `"${kind}-${plan.tag}"`;
  if (!preconditionsHold(headers, etag, new Date(0)))
    throw new ViaductError('PRECONDITION_FAILED', 'the archive is not the one that the request means');
  const fields: Field[] = [
    ['ETag', etag],
    ['Cache-Control', 'no-cache'],
    ['Accept-Ranges', kind === 'tar' ? 'bytes' : 'none'],
  ];
  if (fresh(freshnessOf(headers), { etag })) return { status: 304, fields, body: Buffer.alloc(0) };
  fields.push(['Content-Type', ARCHIVE_TYPES[kind]], dispositionOf(`${plan.name}.${kind}`));
  fields.push(...leftOutFields(plan.leftOut));
  const layout: Layout = await (kind === 'tar' ? TarLayout : ZipLayout).of(plan);
  const source = new PlannedSource({ root, shares }, node.turns, client, drop);
  const bodyOf = (start: number, end: number): Reply['body'] => ({
    pieces: archivePieces(layout, source, { start, end }),
    length: end - start,
  });
  const range = layout.needsCrc ? undefined : rangeOf(request, headers, layout, etag);
  if (range === undefined) return { status: 200, fields, body: bodyOf(0, layout.size) };
  fields.push(['Content-Range', `bytes ${range.start}-${range.end}/${layout.size}`]);
  return { status: 206, fields, body: bodyOf(range.start, range.end + 1) };
}

/** The ETags that a request names if it goes on with an archive; undefined if it begins one. */
function goesOn({ range, 'if-range': ifRange, 'if-match': ifMatch }: Headers): string | undefined {
  const named = [ifRange, ifMatch].filter((value) => value !== undefined);
  if (named.length > 0) return named.join();
  return range === undefined || /^bytes=0*-/.test(range) ? undefined : '';
}

/** An archive has no time of its own: what is deleted changes it too. */
function conditionsOf(request: RequestHead): Headers {
  const { 'if-modified-since': _since, 'if-unmodified-since': _unless, ...headers } = headersOf(request);
  return headers;
}

/** The name for saving (RFC 6266): as ASCII for old clients, and as it is. */
function dispositionOf(name: string): Field {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const exact = encodeURIComponent(replaceBytes(name, () => '\ufffd').toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return ['Content-Disposition', `attachment; filename="${plain}"; filename*=UTF-8''${exact}`];
}
