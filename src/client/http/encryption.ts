import type { Route } from '../../route/hop.js';
import type { Location } from '../../route/location.js';
import { HostTrust } from '../../identity/host-trust.js';
import type { TlsClient } from '../../tls/connect.js';
import { Sessions } from './sessions.js';

/** Which hosts a client trusts, and who it is. */
export interface Encryption {
  /** Resolves if the key of a route's last hop is trusted. Nothing but the handshake is sent before. @throws ViaductError if not */
  readonly checkKey: (route: Route, pin: string) => Promise<void>;
  /**
   * Certificates in PEM of the authorities that are trusted instead: hosts prove their name, and `checkKey` is not
   * called.
   * @default none
   */
  readonly authorities?: readonly string[] | undefined;
  /** What to prove to a host that asks who the client is, as PEM. @default nothing */
  readonly identity?: TlsClient['identity'];
  /** The same for the first hop, where the location begins with https://. @default `checkKey` */
  readonly checkLink?: ((route: Route, pin: string) => Promise<void>) | undefined;
}

/** Of all requests. */
export interface EncryptionOptions {
  /** No encryption between the first hop and the last. @default false */
  readonly plain?: boolean | undefined;
  /** @default a host whose key is in the `known_hosts` of this user is trusted, any other is an error */
  readonly encryption?: Encryption | undefined;
}

/** Of requests that share connections. */
export interface SessionOptions extends EncryptionOptions {
  /** Connections that wait for a further request. @default none is kept */
  readonly sessions?: Sessions | undefined;
}

/** Trusts hosts in the `known_hosts` of this user. */
export function knownHostsOnly(): Encryption {
  const trust = new HostTrust({});
  return { checkKey: (route, pin) => trust.check(route, pin) };
}

/**
 * For probes of all hops on the way to a location, on connections of their own. The user trusts the last hop, and the first
 * one if the location begins with https://. Those between may have any key: they only tell whether they answer.
 */
export function forProbes(
  { route, scheme }: Location,
  { plain, encryption = knownHostsOnly() }: EncryptionOptions,
): EncryptionOptions {
  const { checkKey: check, checkLink = check } = encryption;
  const isTrusted = (checked: Route): boolean =>
    checked.length === route.length || (checked.length === 1 && scheme === 'https');
  const checkKey: Encryption['checkKey'] = async (checked, pin) => {
    if (isTrusted(checked)) await check(checked, pin);
  };
  return { plain, encryption: { ...encryption, checkKey, checkLink, identity: undefined } };
}

/** Runs requests that share connections, and ends these afterwards. */
export async function withSessions<O extends SessionOptions, T>(
  options: O,
  act: (options: O) => Promise<T>,
): Promise<T> {
  if (options.sessions !== undefined) return act(options);
  const sessions = new Sessions();
  const { encryption = knownHostsOnly() } = options;
  try {
    return await act({ ...options, encryption, sessions });
  } finally {
    await sessions.close();
  }
}
