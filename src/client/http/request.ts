import { asViaductError } from '../../errors.js';
import { SILENCE_MS } from '../../defaults.js';
import { formatHop } from '../../route/hop.js';
import type { Location } from '../../route/location.js';
import { type Field, formatHead, isKeptAlive } from '../../wire/http/head.js';
import { framingOf } from '../../wire/http/reply.js';
import { clientVia } from '../../wire/http/via.js';
import type { ConnectOptions } from '../first-hop.js';
import { askFirstHop } from './ask.js';
import { type Encryption, type SessionOptions, knownHostsOnly } from './encryption.js';
import { errorOf, readReplyHead } from './reply-head.js';
import { type Peer, Reply, peerError } from './reply.js';
import { headLimitMs } from './secure.js';
import { openSession } from './session.js';
import type { Session } from './sessions.js';

export interface RequestOptions extends ConnectOptions, SessionOptions {
  /** @default 'GET' */
  readonly method?: 'GET' | 'HEAD' | undefined;
  /** Besides `Host`, `Via` and `Connection`. */
  readonly fields?: readonly Field[] | undefined;
  /** Silence that is an error, in ms; a reply may take 5 s more for each hop. @default 10,000 */
  readonly timeoutMs?: number | undefined;
  /** Bytes that the kernel may buffer, for a body that will be read slowly on purpose. @default set by the system */
  readonly receiveBuffer?: number | undefined;
  /** Called right before the request is sent. */
  readonly onSend?: (() => void) | undefined;
}

/**
 * Sends one request over a route, in TLS to its last hop unless `plain`, and reads the head of its reply. The reply's
 * body has to be read, or the reply closed.
 *
 * @throws ViaductError TOO_MANY_HOPS before anything is dialled; DNS_ERROR, REFUSED, UNREACHABLE or
 *   CONNECT_TIMEOUT of the first hop; TLS_FAILED, UNKNOWN_HOST_KEY, CHANGED_HOST_KEY, WRONG_PIN or
 *   UNTRUSTED_CERTIFICATE before the request is sent; TIMEOUT, CUT_SHORT, BAD_REPLY or NOT_A_NODE of its reply; the
 *   failure that an error reply (4xx, 5xx) describes; the signal's reason
 */
export async function request(location: Location, options: RequestOptions = {}): Promise<Reply> {
  const { plain = false, encryption = knownHostsOnly() } = options;
  if (!plain) return requestInTls(location, encryption, options);
  const { method = 'GET', fields = [] } = options;
  const { route, path, scheme = 'http' } = location;
  const question = { method, path, fields: [...fields, CLOSE] };
  const { peer, head, rest } = await askFirstHop(route, scheme, question, encryption, options);
  try {
    const reply = new Reply(peer, head, framingOf(head, method === 'HEAD'), rest);
    if (head.status < 400) return reply;
    throw await errorOf(reply, location);
  } catch (error) {
    peer.stream.reset();
    throw error;
  }
}

const CLOSE: Field = ['Connection', 'close'];

/** Sends the request over a kept connection, or over a new one if there is none, or it ends before it answers. */
async function requestInTls(
  location: Location,
  encryption: Encryption,
  options: RequestOptions,
): Promise<Reply> {
  const { route, scheme = 'http' } = location;
  const kept = options.sessions?.take(route, scheme);
  if (kept !== undefined) {
    const { received } = kept.stream;
    try {
      return await requestOver(kept, location, options);
    } catch (error) {
      // Nothing has come, so the node has closed the connection meanwhile.
      if (kept.stream.received > received || asViaductError(error).code !== 'CUT_SHORT') throw error;
    }
  }
  return requestOver(await openSession(route, scheme, encryption, options), location, options);
}

async function requestOver(
  session: Session,
  location: Location,
  {
    method = 'GET',
    timeoutMs = SILENCE_MS,
    fields = [],
    signal = new AbortController().signal,
    onSend,
    sessions,
  }: RequestOptions,
): Promise<Reply> {
  const { stream } = session;
  const { route, path } = location;
  const hop = route.at(-1);
  if (hop === undefined) throw new Error('a session has a route');
  const peer: Peer = { stream, hop, number: route.length, timeoutMs, signal };
  const limitMs = headLimitMs(route, { timeoutMs });
  const close = sessions === undefined ? [CLOSE] : [];
  let reply: Reply;
  try {
    onSend?.();
    stream.write(
      formatHead(`${method} ${path} HTTP/1.1`, [
        ['Host', formatHop(hop)],
        // The node that answers in a tunnel counts hops by Via.
        clientVia(route.length - 1),
        ...fields,
        ...close,
      ]),
    );
    const { head, rest } = await readReplyHead(peer, { begin: Buffer.alloc(0), leftMs: limitMs }, limitMs);
    const keep = sessions !== undefined && isKeptAlive(head) ? () => sessions.give(session) : undefined;
    const framing = framingOf(head, method === 'HEAD');
    // Whoever is on the way can end a connection in TLS: a reply has to show that it is whole.
    if (framing === 'end') throw peerError(peer, 'BAD_REPLY', 'sent a reply without length or chunks');
    reply = new Reply(peer, head, framing, rest, keep);
  } catch (error) {
    stream.reset();
    throw error;
  }
  if (reply.status < 400) return reply;
  // Its body is read, so the connection can be kept.
  throw await errorOf(reply, location);
}
