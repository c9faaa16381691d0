import type { Scheme } from '../../route/location.js';
import { type Route, hopError } from '../../route/hop.js';
import { EarlyTls } from '../../tls/connect.js';
import { splitRoute } from '../first-hop.js';
import type { Encryption } from './encryption.js';
import { type LinkOptions, connectInTls, connectLink } from './link.js';
import { type Reached, brokenWhileChecked, lastOf, secure, tlsClientFor } from './secure.js';
import type { Session } from './sessions.js';
import { openTunnel } from './tunnel.js';

/** Connections that may break while a user answers whether a key is right. */
const ATTEMPTS = 3;

/**
 * Connects to the last hop of a route in TLS, through a tunnel if there are hops before it. When it resolves, the key is
 * trusted, and nothing but the handshake was sent.
 * @param scheme of the first link
 * @throws ViaductError as {@link connectLink}, {@link openTunnel} and {@link secure}
 */
export async function openSession(
  route: Route,
  scheme: Scheme,
  encryption: Encryption,
  options: LinkOptions,
): Promise<Session> {
  const { first, left } = splitRoute(route, options);
  for (let attempt = 1; ; attempt += 1) {
    const stream =
      left.length > 0
        ? await secure(route, await tunnelTo(route, scheme, encryption, options), encryption, options)
        : await connectInTls(first, encryption, options);
    if (stream !== undefined) return { stream, route, scheme };
    if (attempt === ATTEMPTS) throw brokenWhileChecked(route);
  }
}

/**
 * Connects to the last hop of a route without TLS there, through a tunnel if there are hops before it.
 * @throws ViaductError as {@link connectLink} and {@link openTunnel}
 */
export async function openPlainSession(
  route: Route,
  scheme: Scheme,
  encryption: Encryption,
  options: LinkOptions,
): Promise<Session> {
  if (route.length === 1)
    return { stream: await connectLink(route, scheme, encryption, options), route, scheme };
  const { stream, begin } = await openTunnel(route, undefined, scheme, encryption, options);
  // Nothing was asked yet.
  if (begin.length === 0) return { stream, route, scheme };
  stream.reset();
  throw hopError('BAD_REPLY', route.length, lastOf(route), 'sent what nobody asked for');
}

/** The ClientHello travels with the request for the tunnel, which saves a round trip. */
async function tunnelTo(
  route: Route,
  scheme: Scheme,
  encryption: Encryption,
  options: LinkOptions,
): Promise<Reached> {
  const early = new EarlyTls(tlsClientFor(lastOf(route), encryption));
  try {
    const tunnel = await openTunnel(route, await early.hello, scheme, encryption, options);
    return { ...tunnel, early };
  } catch (error) {
    early.discard();
    throw error;
  }
}
