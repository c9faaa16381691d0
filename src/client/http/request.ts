import { ViaductError } from '../../errors.js';
import { CONNECT_MS, HTTP_HEAD_PER_HOP_MS, MAX_HOPS, SILENCE_MS } from '../../defaults.js';
import type { Channel } from '../../tcp/stream.js';
import { dial } from '../../tcp/dial.js';
import { limitReceiveBuffer } from '../../tcp/receive-buffer.js';
import { type Verdict, readHead } from '../../tcp/read-until.js';
import { Resolver } from '../../tcp/resolver.js';
import { type Hop, formatHop, hopLabel, limitHops } from '../../route/hop.js';
import { formatTarget } from '../../route/url.js';
import { type Field, type ReplyHead, type Split, formatHead, valuesOf } from '../../wire/http/head.js';
import { framingOf, parseReply, splitReply } from '../../wire/http/reply.js';
import type { Location } from '../../route/location.js';
import { remoteError } from './remote-error.js';
import { type Peer, Reply, named, peerError } from './reply.js';

/** The body of an error reply, and how long a client reads it; its head says enough. */
const ERROR_BODY_BYTES = 64 * 1024;
const ERROR_BODY_MS = 5000;

export interface RequestOptions {
  /** @default 'GET' */
  readonly method?: 'GET' | 'HEAD' | undefined;
  /** Besides `Host` and `Connection`. */
  readonly fields?: readonly Field[] | undefined;
  /** Silence that is an error, in ms; a reply may take 5 s more for each hop. @default 10,000 */
  readonly timeoutMs?: number | undefined;
  /** Dialling the first hop, look-up included, in ms. @default 20,000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Hops of a route. @default 16 */
  readonly maxHops?: number | undefined;
  /** Ends the request; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Bytes that may wait in the kernel, for a body that will be read slowly on purpose. @default as the system has it */
  readonly receiveBuffer?: number | undefined;
  /** Told when the first hop is connected, right before the request is sent. */
  readonly onConnect?: (() => void) | undefined;
}

/**
 * Sends one request over a route and reads the head of its reply. One connection carries one request. The
 * reply's body has to be read, or the reply closed.
 *
 * @throws ViaductError TOO_MANY_HOPS before anything is dialled; DNS_ERROR, REFUSED, UNREACHABLE or
 *   CONNECT_TIMEOUT of the first hop; TIMEOUT, CUT_SHORT, BAD_REPLY or NOT_A_NODE of its reply; what an
 *   error reply (4xx, 5xx) says; the signal's reason
 */
export async function request(location: Location, options: RequestOptions = {}): Promise<Reply> {
  const { method = 'GET', maxHops = MAX_HOPS } = options;
  const [firstHop, ...route] = location.route;
  if (firstHop === undefined) throw new ViaductError('BAD_ROUTE', 'the route has no hop');
  limitHops(location.route, maxHops);
  const signal = options.signal ?? new AbortController().signal;
  const channel = await openChannel(firstHop, options.connectTimeoutMs ?? CONNECT_MS, signal);
  const peer: Peer = { channel, hop: firstHop, timeoutMs: options.timeoutMs ?? SILENCE_MS, signal };
  try {
    const target = formatTarget({ route, path: location.path });
    const fields: Field[] = [
      ['Host', formatHop(firstHop)],
      ...(options.fields ?? []),
      ['Connection', 'close'],
    ];
    options.onConnect?.();
    if (options.receiveBuffer !== undefined) limitReceiveBuffer(channel.socket, options.receiveBuffer);
    channel.socket.write(formatHead(`${method} ${target} HTTP/1.1`, fields));
    const { head, rest } = await readReplyHead(peer, location.route.length);
    const reply = new Reply(peer, head, framingOf(head, method === 'HEAD'), rest);
    if (head.status < 400) return reply;
    throw remoteError(head, await errorBody(reply), location);
  } catch (error) {
    channel.reset();
    throw error;
  }
}

/** The one place where a client's connection is made. */
async function openChannel(hop: Hop, timeoutMs: number, signal: AbortSignal): Promise<Channel> {
  try {
    return await dial(hop, {
      label: hopLabel(1, hop),
      timeoutMs,
      signal,
      resolver: new Resolver(),
      client: '',
      permit: () => {}, // The user may dial whom he likes; policy is for relays.
    });
  } catch (error) {
    if (!(error instanceof ViaductError) || signal.aborted) throw error;
    throw new ViaductError(error.code, error.message, {
      hopAddress: error.hopAddress,
      hopNumber: 1,
      cause: error.cause,
    });
  }
}

/** The head of the final reply, interim ones skipped, and what follows it. */
async function readReplyHead(peer: Peer, hops: number): Promise<{ head: ReplyHead; rest: Buffer }> {
  const { channel, signal } = peer;
  const limitMs = hops * HTTP_HEAD_PER_HOP_MS + peer.timeoutMs;
  const deadline = performance.now() + limitMs;
  for (let begin: Buffer = Buffer.alloc(0); ;) {
    const split = await readHead<Split>(channel, {
      begin,
      scan: (bytes): Verdict<Split> => {
        const found = named(peer, () => splitReply(bytes));
        return found === undefined ? {} : { value: found };
      },
      timeoutMs: Math.max(1, deadline - performance.now()),
      signal,
      late: () => peerError(peer, 'TIMEOUT', `sent no reply within ${limitMs / 1000} s`),
      gone: () => peerError(peer, 'CUT_SHORT', 'closed the connection before it replied', channel.error),
    });
    const head = named(peer, () => parseReply(split.head));
    if (head.status >= 200) {
      if (valuesOf(head.fields, 'viaduct').length === 0) throw peerError(peer, 'NOT_A_NODE', 'is not a node');
      return { head, rest: split.rest };
    }
    begin = split.rest;
  }
}

/** What an error reply says. One that cannot be read to its end, or in time, says it by its head alone. */
async function errorBody(reply: Reply): Promise<Buffer> {
  try {
    return await reply.bytes(ERROR_BODY_BYTES, ERROR_BODY_MS);
  } catch {
    return Buffer.alloc(0);
  }
}
