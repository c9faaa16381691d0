import { crc32 } from 'node:zlib';
import { BUFFER_MAX } from '../../../tcp/read-buffer.js';
import type { FilePart } from '../reply.js';
import { Slices } from '../slices.js';
import type { FilePiece, Layout, Piece } from './piece.js';
import type { OpenFile, PlannedSource } from './planned-source.js';

/** Files up to this size are read whole before they are sent. */
const SMALL_BYTES = 64 * 1024;
/** So many files are opened, and small ones read, while another is sent; more make it no faster (measured). */
const AHEAD = 4;

/** A range of the archive: without `end`. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** Bytes of the archive, or a large file and what stands around it. */
type Ready = (() => Buffer) | (FilePiece & { readonly open: OpenFile });

/**
 * The bytes of a range of an archive. Small files are gathered; large ones are sent as any other file.
 * @throws ViaductError CHANGED if a file is not as planned; as `Root.openFile`; READ_FAILED
 */
export async function* archivePieces(
  layout: Layout,
  source: PlannedSource,
  { start, end }: Range,
): AsyncGenerator<Buffer | FilePart> {
  const gathered = Buffer.allocUnsafeSlow(BUFFER_MAX);
  let filled = 0;
  for await (const { at, ready } of readAhead(layout, source, { start, end })) {
    for await (const piece of piecesOf(ready, layout.needsCrc, { start: start - at, end: end - at })) {
      if (Buffer.isBuffer(piece) && piece.length <= gathered.length - filled) {
        filled += piece.copy(gathered, filled);
        continue;
      }
      if (filled > 0) yield gathered.subarray(0, filled);
      filled = 0;
      if (Buffer.isBuffer(piece) && piece.length <= gathered.length) filled = piece.copy(gathered);
      else yield piece;
    }
  }
  if (filled > 0) yield gathered.subarray(0, filled);
}

/** What is ready to be sent, in order; a large file is to be closed by who gets it. When it ends, no other file is open. */
async function* readAhead(
  layout: Layout,
  source: PlannedSource,
  { start, end }: Range,
): AsyncGenerator<{ readonly at: number; readonly ready: Ready }> {
  const pieces = layout.from(start);
  // Folders, and the directory of a zip archive, wait for no file.
  const slices = new Slices();
  const ahead: { readonly at: number; readonly ready: Promise<Ready> }[] = [];
  try {
    for (let isEnd = false; ;) {
      if (slices.isOver) await slices.pause();
      while (!isEnd && ahead.length < AHEAD) {
        const { value: piece } = pieces.next();
        isEnd = piece === undefined || piece.at >= end;
        if (piece === undefined || isEnd) break;
        const ready = readyOf(piece, source, layout.needsCrc);
        // Awaited below; until then its failure is not "unhandled".
        ready.catch(() => {});
        ahead.push({ at: piece.at, ready });
      }
      const next = ahead.shift();
      if (next === undefined) return;
      yield { at: next.at, ready: await next.ready };
    }
  } finally {
    await Promise.allSettled(ahead.map(({ ready }) => ready.then(close)));
  }
}

async function readyOf(piece: Piece, source: PlannedSource, needsCrc: boolean): Promise<Ready> {
  if ('bytes' in piece) return piece.bytes;
  const { header, file, trailer } = piece;
  if (file.size > SMALL_BYTES) return { ...piece, open: await source.open(file) };
  const content = Buffer.allocUnsafe(file.size);
  await source.readInto(content, file);
  return () => Buffer.concat([header, content, trailer(needsCrc ? crc32(content) : 0)]);
}

async function close(ready: Ready): Promise<void> {
  if ('open' in ready) await ready.open.close();
}

/** @param range within the piece; it may begin before it and end behind it */
async function* piecesOf(ready: Ready, needsCrc: boolean, range: Range): AsyncGenerator<Buffer | FilePart> {
  if (!('open' in ready)) return yield cut(ready(), 0, range);
  const { header, file, open, trailer } = ready;
  const begin = header.length;
  let crc = 0;
  const onChunk = needsCrc ? (chunk: Buffer): void => void (crc = crc32(chunk, crc)) : undefined;
  let isSent = false;
  try {
    yield cut(header, 0, range);
    const start = Math.max(0, range.start - begin);
    const length = Math.min(file.size, range.end - begin) - start;
    if (length > 0) yield { ...open.part, start, length, onChunk };
    await open.check();
    isSent = true;
    yield cut(trailer(crc), begin + file.size, range);
  } finally {
    // It may have shrunk, which its sender notices first.
    if (!isSent) await open.check().catch(() => {});
    await open.close();
  }
}

/** The part of some bytes that is in a range. @param at where they begin */
function cut(bytes: Buffer, at: number, { start, end }: Range): Buffer {
  const from = Math.max(0, start - at);
  return bytes.subarray(from, Math.max(from, end - at));
}
