import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostHop, Route } from '../../route/hop.js';
import type { Scheme } from '../../route/location.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import { connectTo, splitRoute } from '../first-hop.js';
import type { Field } from '../../wire/http/head.js';
import type { Encryption } from './encryption.js';
import type { SecuredStream } from '../../tls/handshake.js';
import { type SecureOptions, brokenWhileChecked, headLimitMs, shakeHands, trusted } from './secure.js';

export interface LinkOptions extends SecureOptions {
  /** Of the request. A tunnel for it has the same trace ID, so that all hops log it. */
  readonly fields?: readonly Field[] | undefined;
  /** Bytes that the kernel may buffer. @default set by the system */
  readonly receiveBuffer?: number | undefined;
}

/**
 * Connects to the first hop of a route.
 * @param scheme https: in TLS, and the key of the first hop is checked
 * @param except an address that was tried before
 * @throws ViaductError as {@link connectTo} and {@link secure}
 */
export async function connectLink(
  route: Route,
  scheme: Scheme,
  encryption: Encryption,
  options: LinkOptions,
  except?: string,
): Promise<ByteStream> {
  const { first } = splitRoute(route, options);
  if (scheme === 'http') return dialFirst(first, options, except);
  const { checkKey, checkLink = checkKey } = encryption;
  // Who reads is for the last hop to know.
  const link = { ...encryption, checkKey: checkLink, identity: undefined };
  const stream = await connectInTls(first, link, options, except);
  if (stream === undefined) throw brokenWhileChecked([first]);
  return stream;
}

async function dialFirst(hop: HostHop, options: LinkOptions, except?: string): Promise<ByteStream> {
  const raw = await connectTo(hop, options, except);
  if (options.receiveBuffer !== undefined) raw.limitReceiveBuffer(options.receiveBuffer);
  return raw;
}

/**
 * Connects to a hop in TLS. An address of a name may accept connections and stay silent: if the handshake takes longer
 * than half of its limit, another address is tried once, beside it, as `firstAnswer` does without TLS.
 * @param except an address that was tried before
 * @returns and throws as {@link secure}, and {@link connectTo}
 */
export async function connectInTls(
  hop: HostHop,
  encryption: Encryption,
  options: LinkOptions,
  except?: string,
): Promise<ByteStream | undefined> {
  const raw = await dialFirst(hop, options, except);
  const shake = (stream: ByteStream, signal = options.signal): Promise<SecuredStream> =>
    shakeHands([hop], { stream, begin: Buffer.alloc(0) }, encryption, { ...options, signal });
  if (isIP(hop.host) !== 0) return trusted([hop], await shake(raw), encryption, options);
  const [leaveFirst, leaveSecond] = [new AbortController(), new AbortController()];
  const unlessLeft = ({ signal }: AbortController): AbortSignal =>
    options.signal === undefined ? signal : AbortSignal.any([options.signal, signal]);
  let isTried = false;
  const first = shake(raw, unlessLeft(leaveFirst));
  const second = (async () => {
    const signal = unlessLeft(leaveSecond);
    await delay(headLimitMs([hop], options) / 2, undefined, { signal });
    isTried = true;
    return shake(await dialFirst(hop, { ...options, signal }, raw.remote.host), signal);
  })();
  first.catch(() => isTried || leaveSecond.abort());
  // Without an answer of either, the first address is the one to report.
  const secured = await Promise.any([first, second]).catch(() => first);
  leaveFirst.abort();
  leaveSecond.abort();
  for (const each of [first, second])
    each.then(({ stream }) => stream === secured.stream || stream.reset()).catch(() => {});
  return trusted([hop], secured, encryption, options);
}
