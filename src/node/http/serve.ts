import { setImmediate } from 'node:timers/promises';
import type { StreamWriter } from '../../tcp/writer.js';
import { ViaductError, asViaductError } from '../../errors.js';
import { STATUS_NAME, nameOfPath, withMissingSlash } from '../../route/url.js';
import { splitLink } from '../../route/share-link.js';
import { type HeldInput, INPUT_AHEAD_BYTES, holdInput } from '../client-input.js';
import type { Connection } from '../connection.js';
import { type OriginReply, openReply } from '../origin/origin.js';
import { redirectReply } from '../origin/reply.js';
import { SpeedTests } from '../origin/speed.js';
import { statusReply } from '../origin/status.js';
import { errorReply } from './error.js';
import { requireOwnName } from './host.js';
import { serveParking } from '../parking/serve-parking.js';
import { readRequest } from './read-request.js';
import { relayRequest } from './relay.js';
import type { Request } from './request.js';
import { sendReply } from './send-reply.js';
import { type TunnelEnd, checkTunnel, endTunnel, refuseEarly } from './tunnel.js';

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
    if (Buffer.isBuffer(next)) pending = next;
    else if (next !== 'kept') return next;
    connection.awaitsRequest();
    // The reply may have begun before the stop, and announced that the connection is kept. A complete request is
    // answered all the same; the rest of an incomplete one is not waited for.
    if (node.stopping() && !pending.includes('\n\r\n')) return finish(connection.writer);
  }
}

async function finish(writer: StreamWriter): Promise<undefined> {
  await writer.finish();
}

/**
 * What follows on the connection: a further request, with what has come of it if another has read it; the end (FIN is
 * queued); or what a tunnel brings.
 */
async function answer(
  connection: Connection,
  request: Request,
  input: HeldInput,
): Promise<'kept' | 'end' | Buffer | TunnelEnd> {
  const { node, stream, exchange, signal } = connection;
  const { head, target } = request;
  exchange.stage('head', () => `${head.method} ${head.target} as hop ${request.hopNumber}`);
  try {
    refuseEarly(request, input);
    if (request.error !== undefined) throw request.error;
    requireOwnName(connection, request);
    // A ready connection of a parked node carries what this node's clients send, and is proved by its token.
    const isCarrier = request.isTunnel || request.parking?.kind === 'ready';
    if (node.tlsOnly && !connection.isSecure && !isCarrier) throw tlsRequired();
    checkTunnel(connection, request);
    const isRelayed = target.route.length > 0;
    if (request.isTunnel && !isRelayed) return await endTunnel(connection, request, input);
    if (request.parking !== undefined) {
      await serveParking(connection, request.parking, input);
      return 'end';
    }
    const close = !request.keepAlive || node.stopping();
    let isRoutine = false;
    const redirect = isRelayed && isRoot(target.path) ? withMissingSlash(head.target) : undefined;
    if (redirect !== undefined) await sendReply(connection, request, redirectReply(redirect), close);
    else if (isRelayed) {
      const kept = await relayRequest(connection, request, input);
      exchange.completed();
      return kept ?? 'end';
    } else isRoutine = await answerAsOrigin(connection, request, close);
    exchange.completed(isRoutine);
    return close ? 'end' : 'kept';
  } catch (error) {
    const known = asViaductError(error);
    // Once a byte of a reply has left, a second reply would be taken for its body.
    if (exchange.replyBegun || stream.closed || signal.aborted) throw known;
    // What follows a request for an upgrade is never a request of its own.
    const isUpgrade = request.isTunnel || request.parking !== undefined;
    const close = isUpgrade || !request.keepAlive || node.stopping() || !KEEPING.has(known.code);
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
const KEEPING = new Set<string>([
  'NOT_FOUND',
  'FORBIDDEN',
  'ACCESS_DENIED',
  'PRECONDITION_FAILED',
  'RANGE_NOT_SATISFIABLE',
]);

/** @returns whether the reply is routine: that there is no icon */
async function answerAsOrigin(connection: Connection, request: Request, close: boolean): Promise<boolean> {
  const opened = await openAsOrigin(connection, request);
  try {
    await sendReply(connection, request, opened.reply, close);
    return opened.reply.status === 204;
  } finally {
    await opened.close();
  }
}

async function openAsOrigin(connection: Connection, request: Request): Promise<OriginReply> {
  const { node, exchange, network, signal } = connection;
  const { path } = request.target;
  const link = splitLink(path);
  const name = nameOfPath(link?.path ?? path);
  if (link === undefined && name === STATUS_NAME) {
    exchange.serving(name);
    const reply = statusReply(node, connection.clientClass(request.claimedClass));
    return withoutContent(reply);
  }
  if (link === undefined && SpeedTests.isNamed(name)) {
    exchange.serving(name);
    const { reply, release } = node.speedTests.open(name);
    return { reply, close: async () => release() };
  }
  const decision = await connection.decideRead({ dialect: 'http', name, link: link?.token });
  // Relative links of the listing would lose the token.
  if (decision.allowed && link?.path === '') return withoutContent(redirectReply(`./${link.token}/`));
  return openReply(node, request.head, name, { network, decision, path, signal });
}

/** Nothing is open for it. */
function withoutContent(reply: OriginReply['reply']): OriginReply {
  return { reply, close: async () => {} };
}
