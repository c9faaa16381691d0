import { SILENCE_MS } from '../../defaults.js';
import { type Route, formatHop } from '../../route/hop.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import { formatHead } from '../../wire/http/head.js';
import { clientVia } from '../../wire/http/via.js';
import { framingOf } from '../../wire/http/reply.js';
import {
  PARKING_PATH,
  READY_KEEP_ALIVE_MS,
  isAccepted,
  readyFields,
  withoutBeats,
} from '../../wire/parking.js';
import { askFirstHop } from '../http/ask.js';
import type { Encryption } from '../http/encryption.js';
import type { LinkOptions } from '../http/link.js';
import { errorOf, readReplyHead } from '../http/reply-head.js';
import { type Peer, Reply, peerError } from '../http/reply.js';
import { headLimitMs } from '../http/secure.js';
import { openTunnel } from '../http/tunnel.js';

/** A connection that waits at a relay for a request. */
export interface ReadyConnection {
  readonly stream: ByteStream;
  /** What was received of it. */
  readonly begin: Buffer;
}

/**
 * Opens the connection that a relay has asked for, over the route to it. It is not in TLS: it carries what clients send, who
 * use TLS themselves.
 * @throws ViaductError as for any request; PARKING_REFUSED
 */
export async function openReady(
  route: Route,
  token: string,
  encryption: Encryption,
  options: LinkOptions,
): Promise<ReadyConnection> {
  const question = { method: 'GET', path: PARKING_PATH, fields: readyFields(token), maySwitch: true };
  const asked =
    route.length === 1
      ? await askFirstHop(route, 'http', question, encryption, options)
      : await askInTunnel(route, token, encryption, options);
  const { peer, head, rest } = asked;
  const { stream } = peer;
  try {
    if (head.status !== 101 || !isAccepted(head.fields, 'ready')) {
      if (head.status < 400) throw peerError(peer, 'BAD_REPLY', `answered ${head.status}`);
      const reply = new Reply(peer, head, framingOf(head, false), rest);
      throw await errorOf(reply, { route, path: PARKING_PATH });
    }
  } catch (error) {
    stream.reset();
    throw error;
  }
  stream.keepAlive(READY_KEEP_ALIVE_MS);
  return { stream, begin: rest };
}

/** Relays between carry it as a tunnel, in which the request is made. */
async function askInTunnel(
  route: Route,
  token: string,
  encryption: Encryption,
  options: LinkOptions,
): ReturnType<typeof askFirstHop> {
  const { timeoutMs = SILENCE_MS, signal = new AbortController().signal } = options;
  const { stream, begin } = await openTunnel(route, undefined, 'http', encryption, options);
  const hop = route.at(-1);
  if (hop === undefined) throw new Error('a tunnel has a route');
  const peer: Peer = { stream, hop, number: route.length, timeoutMs, signal };
  const limitMs = headLimitMs(route, options);
  try {
    stream.write(
      formatHead(`GET ${PARKING_PATH} HTTP/1.1`, [
        ['Host', formatHop(hop)],
        clientVia(route.length - 1),
        ...readyFields(token),
      ]),
    );
    return { ...(await readReplyHead(peer, { begin, leftMs: limitMs }, limitMs, true)), peer };
  } catch (error) {
    stream.reset();
    throw error;
  }
}

/**
 * Waits for the request that comes over a ready connection.
 * @returns its beginning, and the connection has no reader then; undefined if it ended before, or was ended by the signal
 */
export function firstOfRequest(
  { stream, begin }: ReadyConnection,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const settle = (request?: Buffer): void => {
      reading.detach();
      forget();
      signal.removeEventListener('abort', end);
      resolve(request);
    };
    const end = (): void => {
      settle();
      stream.reset();
    };
    const take = (chunk: Buffer): boolean => {
      const request = withoutBeats(chunk);
      if (request.length === 0) return true;
      settle(Buffer.from(request));
      return false;
    };
    const reading = stream.attach({ take, end });
    const forget = stream.onClose(end);
    signal.addEventListener('abort', end, { once: true });
    if (stream.closed || signal.aborted) end();
    else if (take(begin)) reading.resume();
  });
}
