import { ViaductError, asViaductError } from '../../errors.js';
import {
  formatHead,
  HEAD_BYTES,
  listOf,
  parseRequestHead,
  type RequestHead,
  type Split,
  splitHead,
  valuesOf,
} from '../../wire/http/head.js';
import { type Verdict, readHead } from '../../tcp/read-until.js';
import { hopLabel, limitHops } from '../../route/hop.js';
import { type RoutedTarget, formatTarget, nameOfPath, parseTarget } from '../../route/url.js';
import type { Connection } from '../connection.js';
import { relay } from '../relay.js';
import { errorReply } from './error.js';
import { claimedClass, forwardedFields, hopNumber } from './forwarded.js';
import { replyAsOrigin } from '../origin/origin.js';
import { readReply } from './relayed-reply.js';
import { sendReply } from './reply.js';

/** A relay on the HTTP wire dials for so long: short, so that a deadline does not hide the hop that failed. */
const HTTP_CONNECT_MS = 5000;

/** A kept connection without a new request. */
export const KEEP_ALIVE_MS = 5000;

/** Input that is kept while a reply is on its way, for requests that a client sends ahead. */
const INPUT_AHEAD_BYTES = 64 * 1024;

/**
 * Answers the requests of one connection, one after the other, up to and including FIN. An error before a
 * reply has begun is told to the client; one after it is thrown, and ends in a reset.
 */
export async function serveHttp(connection: Connection, begin: Buffer): Promise<void> {
  let pending = begin;
  for (let first = true; ; first = false) {
    const received = await receive(connection, pending, first);
    if (received === undefined) return connection.outlet.finish();
    if (!first) connection.nextTransfer();
    connection.transferring = true;
    const input = collectInput(connection, received.rest);
    if (!(await answer(connection, received))) return;
    connection.transferring = false;
    connection.channel.pause();
    pending = input();
    // The reply may have begun before the stop, and told that the connection is kept. A request that is
    // whole is answered all the same; the rest of one that is not is not waited for.
    if (connection.node.stopping() && !pending.includes('\n\r\n')) return connection.outlet.finish();
  }
}

/** A head, or what came of one and the error that is its answer. */
interface Received extends Split {
  readonly error?: ViaductError;
}

/**
 * The next head, or the error that is its answer; undefined if a kept connection ends without a further
 * request: by FIN, because it was idle for too long, or because the node is being stopped.
 */
async function receive(connection: Connection, begin: Buffer, first: boolean): Promise<Received | undefined> {
  const { channel, node, signal } = connection;
  let head = first ? begin : Buffer.alloc(0);
  try {
    if (!first) head = await nextRequest(connection, begin);
    // The first head has its time from accept on, however long it took to tell that it is one.
    const spentMs = first ? performance.now() - connection.acceptedAt : 0;
    return await readHead<Split>(channel, {
      begin: head,
      scan: (bytes): Verdict<Split> => {
        head = bytes;
        refuseEndlessLine(bytes);
        const split = splitHead(bytes);
        return split === undefined ? {} : { value: split };
      },
      timeoutMs: Math.max(1, node.silenceMs - spentMs),
      signal: first ? signal : connection.keeping,
      late: () => late(node.silenceMs),
      gone,
    });
  } catch (error) {
    const known = asViaductError(error);
    if (channel.socket.destroyed || signal.aborted) throw known;
    if (!first && (head.length === 0 || connection.keeping.aborted)) return undefined;
    if (ANSWERED.has(known.code)) return { head, rest: Buffer.alloc(0), error: known };
    throw known;
  }
}

/** Whole, or its first byte, of which the second is still to come. */
const EMPTY_LINE = /^(?:\r\n|\r$)/;

/** Waits for the first bytes of a further request; an empty line before it is ignored (RFC 9112 §2.2). */
function nextRequest({ channel, keeping }: Connection, begin: Buffer): Promise<Buffer> {
  return readHead<Buffer>(channel, {
    begin,
    scan: (bytes): Verdict<Buffer> => {
      const request = bytes.subarray(EMPTY_LINE.exec(bytes.toString('latin1', 0, 2))?.[0].length);
      return request.length > 0 ? { value: request } : {};
    },
    timeoutMs: KEEP_ALIVE_MS,
    signal: keeping,
    late: () => late(KEEP_ALIVE_MS),
    gone,
  });
}

function late(limitMs: number): ViaductError {
  return new ViaductError('MESSAGE_TIMEOUT', `the request head was not whole within ${limitMs / 1000} s`);
}

function gone(): ViaductError {
  return new ViaductError('CLIENT_GONE', 'the client left before its request was whole');
}

/** What is wrong with a head that is not whole, and told to the client. */
const ANSWERED = new Set<string>(['MESSAGE_TIMEOUT', 'HEAD_TOO_LARGE', 'URI_TOO_LONG']);

/** A head that is too large already by its first line has too long a target: 414, not 431 (RFC 9112 §3). */
function refuseEndlessLine(bytes: Buffer): void {
  if (bytes.length <= HEAD_BYTES || bytes.subarray(0, HEAD_BYTES).includes('\n')) return;
  throw new ViaductError('URI_TOO_LONG', `the request line has more than ${HEAD_BYTES} bytes`);
}

/**
 * While a reply is on its way the client's input is kept for a request that follows, up to a bound; it is
 * read so that the client's departure is seen.
 */
function collectInput({ channel }: Connection, begin: Buffer): () => Buffer {
  let bytes = begin;
  channel.consumer = (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    return bytes.length < INPUT_AHEAD_BYTES;
  };
  if (bytes.length < INPUT_AHEAD_BYTES) channel.resume();
  return () => bytes;
}

/** True if the connection is kept for a further request; if not, FIN is queued. */
async function answer(connection: Connection, received: Received): Promise<boolean> {
  const { channel, transfer, signal } = connection;
  const replyBytes = (): number => channel.socket.bytesWritten - connection.interimBytes;
  const before = replyBytes();
  let request = unread(received.head);
  try {
    if (received.error !== undefined) throw received.error;
    request = parseRequestHead(received.head);
    const target = check(request, connection);
    const close = target.route.length > 0 || !isKept(request) || connection.node.stopping();
    if (target.route.length > 0) await relayRequest(connection, request, target, received.rest);
    else await replyAsOrigin(connection, request, nameOfPath(target.path), close);
    transfer.completed();
    return !close;
  } catch (error) {
    const known = asViaductError(error);
    // Once a byte of a reply has left, a second reply would be taken for its body.
    if (replyBytes() > before || channel.socket.destroyed || signal.aborted) throw known;
    const close = !isKept(request) || connection.node.stopping() || !KEEPING.has(known.code);
    await sendReply(connection, request, errorReply(known, request), close);
    transfer.failed(known);
    return !close;
  }
}

/** All that is known of a head that cannot be read: a reply to HEAD has no content (RFC 9110 §9.3.2). */
function unread(head: Buffer): RequestHead {
  const method = head.toString('latin1', 0, 5) === 'HEAD ' ? 'HEAD' : 'GET';
  return { method, target: '', minor: 0, fields: [] };
}

/** Errors about a file, after which the connection is as good as before. */
const KEEPING = new Set<string>(['NOT_FOUND', 'FORBIDDEN', 'PRECONDITION_FAILED', 'RANGE_NOT_SATISFIABLE']);

/** HTTP/1.1 connections are kept unless the client says otherwise (RFC 9112 §9.3). */
function isKept({ minor, fields }: RequestHead): boolean {
  return minor >= 1 && !listOf(fields, 'connection').some((option) => option.toLowerCase() === 'close');
}

/** What holds for every request, whoever answers it. */
function check(request: RequestHead, { node }: Connection): RoutedTarget {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new ViaductError('METHOD_NOT_ALLOWED', `${request.method} is not answered, only GET and HEAD`);
  }
  // A service worker would see the requests of the pages of all hops (they share one browser origin).
  if (valuesOf(request.fields, 'service-worker').length > 0) {
    throw new ViaductError('FORBIDDEN', 'service workers are not served');
  }
  const target = parseTarget(request.target);
  limitHops(target.route, node.maxHops - hopNumber(request));
  return target;
}

async function relayRequest(
  connection: Connection,
  request: RequestHead,
  { route, path }: RoutedTarget,
  rest: Buffer,
): Promise<void> {
  const [nextHop, ...left] = route;
  if (nextHop === undefined) throw new Error('a relay has a next hop');
  const label = hopLabel(hopNumber(request) + 1, nextHop);
  const client = connection.clientClass(claimedClass(request));
  connection.transfer.relaying(nameFor(path), nextHop);
  const first = `${request.method} ${formatTarget({ route: left, path })} HTTP/1.1`;
  const head = formatHead(first, forwardedFields(request, nextHop, client));
  // The next hop would refuse it too, but could not tell which hop it is.
  if (head.length > HEAD_BYTES) throw new ViaductError('HEAD_TOO_LARGE', 'the head leaves no room for Via');
  await relay(connection, {
    rest,
    nextHop,
    head,
    label,
    client,
    connectMs: Math.min(connection.node.connectMs, HTTP_CONNECT_MS),
    openReply: (upstream) =>
      readReply(connection, upstream, {
        label,
        nextHop,
        hopsLeft: left.length,
        oldClient: request.minor === 0,
        headOnly: request.method === 'HEAD',
      }),
  });
}

/** The name as the log shows it; what a path means is for the origin to say. */
function nameFor(path: string): string {
  try {
    return nameOfPath(path);
  } catch {
    return path;
  }
}
