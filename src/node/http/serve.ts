import { setImmediate } from 'node:timers/promises';
import type { StreamWriter } from '../../tcp/writer.js';
import { ViaductError, asViaductError } from '../../errors.js';
import { nameOfPath, withMissingSlash } from '../../route/url.js';
import { type HeldInput, holdInput } from '../client-input.js';
import type { Connection } from '../connection.js';
import { openReply } from '../origin/origin.js';
import { redirectReply } from '../origin/reply.js';
import { errorReply } from './error.js';
import { readRequest } from './read-request.js';
import { relayRequest } from './relay.js';
import type { Request } from './request.js';
import { sendReply } from './send-reply.js';
import { type TunnelEnd, checkTunnel, endTunnel, refuseEarly } from './tunnel.js';

/** Input that is held while a reply is on its way, for requests that a client sends ahead. */
const INPUT_AHEAD_BYTES = 64 * 1024;

/**
 * Answers the requests of one connection, one after the other, up to and including FIN, or up to a 101. An error before a
 * reply has begun is reported to the client; a later one is thrown, and ends in a reset.
 */
export async function serveHttp(connection: Connection, begin: Buffer): Promise<TunnelEnd | undefined> {
  const { node, stream } = connection;
  let pending = begin;
  for (let isFirst = true; ; isFirst = false) {
    const received = await readRequest(connection, pending, isFirst);
    if (received === undefined) return finish(connection.writer);
    if (!isFirst) connection.nextExchange();
    // At once: a stop in between would reset a complete request.
    connection.requestReceived();
    // Of many requests that were sent ahead, some are answered without any wait: others have their turn in between.
    if (!isFirst) await setImmediate();
    connection.exchange.traceId = received.request.traceId;
    const input = holdInput(stream, received.rest, INPUT_AHEAD_BYTES);
    const next = await answer(connection, received.request, input);
    pending = input.stop();
    if (next === 'end') return undefined;
    if (next !== 'kept') return next;
    connection.awaitsRequest();
    // The reply may have begun before the stop, and announced that the connection is kept. A complete request is
    // answered all the same; the rest of an incomplete one is not waited for.
    if (node.stopping() && !pending.includes('\n\r\n')) return finish(connection.writer);
  }
}

async function finish(writer: StreamWriter): Promise<undefined> {
  await writer.finish();
}

/** What follows on the connection: a further request, the end (FIN is queued), or what a tunnel brings. */
async function answer(
  connection: Connection,
  request: Request,
  input: HeldInput,
): Promise<'kept' | 'end' | TunnelEnd> {
  const { node, stream, exchange, signal } = connection;
  const { head, target } = request;
  exchange.stage('head', () => `${head.method} ${head.target} as hop ${request.hopNumber}`);
  try {
    refuseEarly(request, input);
    if (request.error !== undefined) throw request.error;
    if (node.tlsOnly && !connection.isSecure && !request.isTunnel) throw tlsRequired();
    checkTunnel(connection, request);
    const isRelayed = target.route.length > 0;
    if (request.isTunnel && !isRelayed) return await endTunnel(connection, request, input);
    const close = isRelayed || !request.keepAlive || node.stopping();
    let isRoutine = false;
    const redirect = isRelayed && isRoot(target.path) ? withMissingSlash(head.target) : undefined;
    if (redirect !== undefined) await sendReply(connection, request, redirectReply(redirect), close);
    else if (isRelayed) await relayRequest(connection, request, input);
    else isRoutine = await answerAsOrigin(connection, request, close);
    exchange.completed(isRoutine);
    return close ? 'end' : 'kept';
  } catch (error) {
    const known = asViaductError(error);
    // Once a byte of a reply has left, a second reply would be taken for its body.
    if (exchange.replyBegun || stream.closed || signal.aborted) throw known;
    // What follows a request for a tunnel is never a request of its own.
    const close = request.isTunnel || !request.keepAlive || node.stopping() || !KEEPING.has(known.code);
    await sendReply(connection, request, errorReply(known, request), close);
    exchange.failed(known);
    return close ? 'end' : 'kept';
  }
}

/** Of a node with `--tls-only`. */
export function tlsRequired(): ViaductError {
  return new ViaductError(
    'TLS_REQUIRED',
    'this node serves only in TLS; leave --plain out, or use https:// to it directly',
  );
}

function isRoot(path: string): boolean {
  return path === '/' || path.startsWith('/?') || path.startsWith('/#');
}

/** Errors about a file, after which the connection is as good as before. */
const KEEPING = new Set<string>(['NOT_FOUND', 'FORBIDDEN', 'PRECONDITION_FAILED', 'RANGE_NOT_SATISFIABLE']);

/** @returns whether the reply is routine: that there is no icon */
async function answerAsOrigin(connection: Connection, request: Request, close: boolean): Promise<boolean> {
  const { node, exchange } = connection;
  const name = nameOfPath(request.target.path);
  exchange.serving(name);
  const client = { class: connection.clientClass(request.claimedClass), network: connection.network };
  const opened = await openReply(node, request.head, name, client);
  try {
    await sendReply(connection, request, opened.reply, close);
    return opened.reply.status === 204;
  } finally {
    await opened.close();
  }
}
