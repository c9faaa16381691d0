import { networkInterfaces } from 'node:os';
import { SILENCE_MS } from '../../defaults.js';
import type { ViaductError } from '../../errors.js';
import { proveKey } from '../../identity/proof.js';
import type { KeyAndCertificate } from '../../identity/certificate.js';
import { type Route, formatHop, hopError } from '../../route/hop.js';
import { visible } from '../../text.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import { formatHead } from '../../wire/http/head.js';
import { clientVia } from '../../wire/http/via.js';
import { framingOf } from '../../wire/http/reply.js';
import {
  ControlLines,
  PARKING_PATH,
  PING,
  type ParkingTimes,
  controlFields,
  isAccepted,
} from '../../wire/parking.js';
import type { Encryption } from '../http/encryption.js';
import type { LinkOptions } from '../http/link.js';
import { errorOf, readReplyHead } from '../http/reply-head.js';
import { type Peer, Reply, peerError } from '../http/reply.js';
import { headLimitMs } from '../http/secure.js';
import { openSession } from '../http/session.js';

export interface ControlOptions extends LinkOptions {
  /** Whose key the relay must have. */
  readonly encryption: Encryption;
  /** Whose key this node proves; asked for at each connection. */
  readonly identity: () => KeyAndCertificate;
  /** Canonical. @default none: the beginning of the pin */
  readonly name?: string | undefined;
}

/** A control connection that the relay has accepted. */
export interface Control {
  readonly stream: ByteStream;
  readonly begin: Buffer;
}

/**
 * Asks the last hop of a route to park this node.
 * @throws ViaductError as for any request; PARKING_REFUSED; BAD_REPLY for a node that knows no parking
 */
export async function openControl(route: Route, options: ControlOptions): Promise<Control> {
  const { encryption, identity, name, timeoutMs = SILENCE_MS } = options;
  const { signal = new AbortController().signal } = options;
  const { stream } = await openSession(route, 'http', { ...encryption, identity: undefined }, options);
  const hop = route.at(-1);
  if (hop === undefined) throw new Error('a session has a route');
  const peer: Peer = { stream, hop, number: route.length, timeoutMs, signal };
  const limitMs = headLimitMs(route, options);
  try {
    const binding = stream.channelBinding();
    if (binding === undefined) throw peerError(peer, 'CUT_SHORT', 'broke the connection', stream.error);
    const fields = controlFields(name, proveKey(identity(), binding));
    stream.write(
      formatHead(`GET ${PARKING_PATH} HTTP/1.1`, [
        ['Host', formatHop(hop)],
        clientVia(route.length - 1),
        ...fields,
      ]),
    );
    const begun = { begin: Buffer.alloc(0), leftMs: limitMs };
    const { head, rest } = await readReplyHead(peer, begun, limitMs, true);
    if (head.status === 101 && isAccepted(head.fields, 'control')) return { stream, begin: rest };
    if (head.status < 400 || head.status === 404)
      throw peerError(peer, 'BAD_REPLY', `answered ${head.status} and parks no nodes: an older version?`);
    const reply = new Reply(peer, head, framingOf(head, false), rest);
    throw await errorOf(reply, { route, path: PARKING_PATH });
  } catch (error) {
    stream.reset();
    throw error;
  }
}

export interface HoldOptions {
  readonly times: ParkingTimes;
  readonly signal: AbortSignal;
  /** The relay wants a connection. */
  readonly open: (token: string) => void;
}

/**
 * Pings the relay, and opens what it asks for, until the connection ends.
 * @returns why it ended; nothing if the signal ended it
 */
export function holdControl(
  route: Route,
  { stream, begin }: Control,
  { times, signal, open }: HoldOptions,
): Promise<ViaductError | undefined> {
  const hop = route.at(-1);
  if (hop === undefined) throw new Error('a session has a route');
  const lines = new ControlLines();
  return new Promise((resolve) => {
    const end = (why?: string): void => {
      clearTimeout(deadline);
      clearInterval(pings);
      clearInterval(watch);
      reading.detach();
      forget();
      signal.removeEventListener('abort', leave);
      if (why === undefined) stream.leave();
      else stream.reset();
      resolve(why === undefined ? undefined : hopError('CUT_SHORT', route.length, hop, why, stream.error));
    };
    const leave = (): void => end();
    const take = (chunk: Buffer): boolean => {
      deadline.refresh();
      try {
        for (const { word, rest } of lines.take(chunk)) {
          if (word === 'open') open(rest);
          if (word === 'bye') {
            end(`ended the parking: ${visible(rest)}`);
            return false;
          }
        }
      } catch {
        end('sent a line that is too long');
        return false;
      }
      return true;
    };
    const late = (): void => end(`sent nothing for ${times.beatLimitMs / 1000} s`);
    const deadline = setTimeout(late, times.beatLimitMs);
    const ping = (): void => void stream.write(PING);
    const pings = setInterval(ping, route.length > 1 ? times.relayBeatMs : times.beatMs);
    const { host } = stream.local;
    const moved = (): void => {
      if (!isOwnAddress(host)) end(`was reached from ${host}, which this machine no longer has`);
    };
    // Otherwise only silence would tell. An address that is not listed even now is none to watch.
    const watch = isOwnAddress(host) ? setInterval(moved, times.addressMs) : undefined;
    const reading = stream.attach({ take, end: () => end('closed the connection') });
    const forget = stream.onClose(() => end('broke the connection'));
    signal.addEventListener('abort', leave, { once: true });
    if (stream.closed) end('broke the connection');
    else if (signal.aborted) leave();
    else if (take(begin)) reading.resume();
  });
}

function isOwnAddress(address: string): boolean {
  const own = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return own.some((entry) => entry.address === address.replace(/%.*$/, ''));
}
