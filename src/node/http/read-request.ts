import { ViaductError, asViaductError } from '../../errors.js';
import { type Verdict, readUntil } from '../../tcp/read-until.js';
import { HEAD_BYTES, type Split, splitHead } from '../../wire/http/head.js';
import type { Connection } from '../connection.js';
import { type Request, parseRequest, unreadableRequest } from './request.js';

/** A kept connection without a new request, as announced in `Keep-Alive`. */
export const KEEP_ALIVE_MS = 5000;

/** The connection ends so much later: a request that a client sends within the announced time is on its way. */
export const KEEP_ALIVE_MARGIN_MS = 1000;

export interface ReceivedRequest {
  readonly request: Request;
  /** What followed its head. */
  readonly rest: Buffer;
}

/**
 * The next request. Undefined if a kept connection ends without a further one: by FIN, because it was idle for too
 * long, or because the node is being stopped.
 * @param begin what was read before
 * @param isFirst the first request of its connection
 * @throws ViaductError CLIENT_GONE; the reason of the connection's signal
 */
export function readRequest(
  connection: Connection,
  begin: Buffer,
  isFirst: boolean,
): ReceivedRequest | Promise<ReceivedRequest | undefined> {
  // Mostly it has come as a whole.
  const split =
    isFirst && begin.length <= HEAD_BYTES && !connection.signal.aborted ? splitHead(begin) : undefined;
  return split === undefined ? readOn(connection, begin, isFirst) : received(connection, split);
}

function received({ node }: Connection, { head, rest }: Split): ReceivedRequest {
  return { request: parseRequest(head, node.maxHops), rest };
}

async function readOn(
  connection: Connection,
  begin: Buffer,
  isFirst: boolean,
): Promise<ReceivedRequest | undefined> {
  const { stream, node, signal } = connection;
  let bytes = isFirst ? begin : Buffer.alloc(0);
  try {
    if (!isFirst) bytes = await nextBytes(connection, begin);
    // The first head has its time from the first moment on, however long it took to recognize it as one.
    const spentMs = isFirst ? performance.now() - connection.begunAt : 0;
    const split = await readUntil<Split>(stream, {
      begin: bytes,
      scan: (all): Verdict<Split> => {
        bytes = all;
        refuseEndlessLine(all);
        const whole = splitHead(all);
        return whole === undefined ? {} : { value: whole };
      },
      timeoutMs: Math.max(1, node.silenceMs - spentMs),
      signal: isFirst ? signal : connection.keepAliveSignal,
      late: () => late(node.silenceMs),
      gone,
    });
    return received(connection, split);
  } catch (error) {
    const known = asViaductError(error);
    if (stream.closed || signal.aborted) throw known;
    if (!isFirst && (bytes.length === 0 || connection.keepAliveSignal.aborted)) return undefined;
    if (!ANSWERED.has(known.code)) throw known;
    return { request: unreadableRequest(bytes, known), rest: Buffer.alloc(0) };
  }
}

/** Errors of an incomplete head that the client gets as a reply. */
const ANSWERED = new Set<string>(['MESSAGE_TIMEOUT', 'HEAD_TOO_LARGE', 'URI_TOO_LONG']);

/** Whole, or its first byte, of which the second is still to come. */
const EMPTY_LINE = /^(?:\r\n|\r$)/;

/** Waits for the first bytes of a further request; an empty line before it is ignored (RFC 9112 §2.2). */
function nextBytes({ stream, node, keepAliveSignal }: Connection, begin: Buffer): Promise<Buffer> {
  const limitMs = node.times.keepAliveMs + node.times.keepAliveMarginMs;
  return readUntil<Buffer>(stream, {
    begin,
    scan: (bytes): Verdict<Buffer> => {
      const request = bytes.subarray(EMPTY_LINE.exec(bytes.toString('latin1', 0, 2))?.[0].length);
      return request.length > 0 ? { value: request } : {};
    },
    timeoutMs: limitMs,
    signal: keepAliveSignal,
    late: () => late(limitMs),
    gone,
  });
}

function late(limitMs: number): ViaductError {
  return new ViaductError('MESSAGE_TIMEOUT', `the request head was not whole within ${limitMs / 1000} s`);
}

function gone(): ViaductError {
  return new ViaductError('CLIENT_GONE', 'the client left before its request was whole');
}

/** A head that is too large already by its first line has too long a target: 414, not 431 (RFC 9112 §3). */
function refuseEndlessLine(bytes: Buffer): void {
  if (bytes.length <= HEAD_BYTES || bytes.subarray(0, HEAD_BYTES).includes('\n')) return;
  throw new ViaductError('URI_TOO_LONG', `the request line has more than ${HEAD_BYTES} bytes`);
}
