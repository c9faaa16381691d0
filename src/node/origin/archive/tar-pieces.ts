import { tarPadding } from '../../../wire/tar.js';
import { BUFFER_MAX } from '../../../tcp/read-buffer.js';
import type { FilePart } from '../reply.js';
import type { OpenFile, PlannedSource } from './planned-source.js';
import type { TarLayout, TarPiece } from './tar-layout.js';

/** Files up to this size are read whole before they are sent. */
const SMALL_BYTES = 64 * 1024;
/** So many files are opened, and small ones read, while others are sent. */
const AHEAD = 3;

/** A range of the archive: without `end`. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** Bytes of the archive, or a large file and what stands in front of it. */
type Ready = Buffer | { readonly header: Buffer; readonly size: number; readonly open: OpenFile };

/**
 * The bytes of a range of an archive. Small files are gathered; large ones are sent as any other file.
 * @throws ViaductError CHANGED if a file is not as planned; as `Root.openFile`; READ_FAILED
 */
export async function* tarPieces(
  layout: TarLayout,
  source: PlannedSource,
  { start, end }: Range,
): AsyncGenerator<Buffer | FilePart> {
  const gathered = Buffer.allocUnsafeSlow(BUFFER_MAX);
  let filled = 0;
  for await (const { at, ready } of readAhead(layout, source, { start, end })) {
    for await (const piece of piecesOf(ready, { start: start - at, end: end - at })) {
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
  layout: TarLayout,
  source: PlannedSource,
  { start, end }: Range,
): AsyncGenerator<{ readonly at: number; readonly ready: Ready }> {
  const pieces = layout.from(start);
  const ahead: { readonly at: number; readonly ready: Promise<Ready> }[] = [];
  try {
    for (let isEnd = false; ;) {
      while (!isEnd && ahead.length < AHEAD) {
        const { value: piece } = pieces.next();
        isEnd = piece === undefined || piece.at >= end;
        if (piece === undefined || isEnd) break;
        const ready = readyOf(piece, source);
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

async function readyOf({ header, file }: TarPiece, source: PlannedSource): Promise<Ready> {
  if (file === undefined) return header;
  if (file.size > SMALL_BYTES) return { header, size: file.size, open: await source.open(file) };
  const whole = Buffer.alloc(header.length + file.size + tarPadding(file.size));
  header.copy(whole);
  await source.readInto(whole, header.length, file);
  return whole;
}

async function close(ready: Ready): Promise<void> {
  if (!Buffer.isBuffer(ready)) await ready.open.close();
}

/** @param range within the piece; it may begin before it and end behind it */
async function* piecesOf(ready: Ready, range: Range): AsyncGenerator<Buffer | FilePart> {
  if (Buffer.isBuffer(ready)) return yield cut(ready, 0, range);
  const { header, size, open } = ready;
  const begin = header.length;
  let isSent = false;
  try {
    yield cut(header, 0, range);
    const from = Math.max(0, range.start - begin);
    const length = Math.min(size, range.end - begin) - from;
    if (length > 0) yield open.part(from, length);
    await open.check();
    isSent = true;
    yield cut(Buffer.alloc(tarPadding(size)), begin + size, range);
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
