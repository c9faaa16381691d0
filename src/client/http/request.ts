import { HTTP_HEAD_PER_HOP_MS, SILENCE_MS } from '../../defaults.js';
import { formatHop } from '../../route/hop.js';
import type { Location } from '../../route/location.js';
import { formatTarget } from '../../route/url.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import { earlyEnd } from '../../tcp/early-reset.js';
import { type Answer, firstAnswer } from '../../tcp/first-answer.js';
import { type Verdict, readUntil } from '../../tcp/read-until.js';
import { type Field, formatHead, valuesOf } from '../../wire/http/head.js';
import { type FinalReply, ReplyHeadReader, framingOf } from '../../wire/http/reply.js';
import { type ConnectOptions, connectTo, splitRoute } from '../first-hop.js';
import { remoteError } from './remote-error.js';
import { type Peer, Reply, named, peerError } from './reply.js';

/** The body of an error reply, and how long a client reads it; the head alone names the failure. */
const ERROR_BODY_BYTES = 64 * 1024;
const ERROR_BODY_MS = 5000;

export interface RequestOptions extends ConnectOptions {
  /** @default 'GET' */
  readonly method?: 'GET' | 'HEAD' | undefined;
  /** Besides `Host` and `Connection`. */
  readonly fields?: readonly Field[] | undefined;
  /** Silence that is an error, in ms; a reply may take 5 s more for each hop. @default 10,000 */
  readonly timeoutMs?: number | undefined;
  /** Bytes that the kernel may buffer, for a body that will be read slowly on purpose. @default set by the system */
  readonly receiveBuffer?: number | undefined;
  /** Called when the first hop is connected, right before the request is sent. */
  readonly onConnect?: (() => void) | undefined;
}

/**
 * Sends one request over a route and reads the head of its reply. One connection carries one request. The
 * reply's body has to be read, or the reply closed.
 *
 * @throws ViaductError TOO_MANY_HOPS before anything is dialled; DNS_ERROR, REFUSED, UNREACHABLE or
 *   CONNECT_TIMEOUT of the first hop; TIMEOUT, CUT_SHORT, BAD_REPLY or NOT_A_NODE of its reply; the failure that
 *   an error reply (4xx, 5xx) describes; the signal's reason
 */
export async function request(location: Location, options: RequestOptions = {}): Promise<Reply> {
  const { method = 'GET', timeoutMs = SILENCE_MS, signal = new AbortController().signal } = options;
  const { first, left } = splitRoute(location.route, options);
  const dial = async (except?: string): Promise<ByteStream> => {
    const stream = await connectTo(first, { ...options, signal }, except);
    options.onConnect?.();
    if (options.receiveBuffer !== undefined) stream.limitReceiveBuffer(options.receiveBuffer);
    const target = formatTarget({ route: left, path: location.path });
    const fields: Field[] = [['Host', formatHop(first)], ...(options.fields ?? []), ['Connection', 'close']];
    stream.write(formatHead(`${method} ${target} HTTP/1.1`, fields));
    return stream;
  };
  const limitMs = location.route.length * HTTP_HEAD_PER_HOP_MS + timeoutMs;
  const answer = await firstAnswer(await dial(), { host: first.host, limitMs, another: dial, signal });
  const peer: Peer = { stream: answer.stream, hop: first, timeoutMs, signal };
  try {
    const { head, rest } = await readReplyHead(peer, answer, limitMs);
    const reply = new Reply(peer, head, framingOf(head, method === 'HEAD'), rest);
    if (head.status < 400) return reply;
    throw remoteError(head, await errorBody(reply), location);
  } catch (error) {
    answer.stream.reset();
    throw error;
  }
}

/** The head of the final reply, interim ones skipped, and what follows it. */
async function readReplyHead(peer: Peer, { begin, leftMs }: Answer, limitMs: number): Promise<FinalReply> {
  const { stream, signal } = peer;
  const heads = new ReplyHeadReader();
  const reply = await readUntil<FinalReply>(stream, {
    begin,
    scan: (bytes): Verdict<FinalReply> => {
      const found = named(peer, () => heads.read(bytes));
      return found === undefined ? {} : { value: found };
    },
    timeoutMs: leftMs,
    signal,
    late: () => peerError(peer, 'TIMEOUT', `sent no reply within ${limitMs / 1000} s`),
    gone: () => peerError(peer, 'CUT_SHORT', earlyEnd('before it replied', stream.error), stream.error),
  });
  if (valuesOf(reply.head.fields, 'viaduct').length === 0)
    throw peerError(peer, 'NOT_A_NODE', 'is not a node');
  return reply;
}

/** The body of an error reply; empty if it cannot be read to its end in time, since the head alone names the failure. */
async function errorBody(reply: Reply): Promise<Buffer> {
  try {
    return await reply.bytes(ERROR_BODY_BYTES, ERROR_BODY_MS);
  } catch {
    return Buffer.alloc(0);
  }
}
