import type { Route } from '../../route/hop.js';
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
  /** Connections that wait for a further request. @default none is kept */
  readonly sessions?: Sessions | undefined;
}

/** Of all requests. */
export interface EncryptionOptions {
  /** No encryption between the first hop and the last. @default false */
  readonly plain?: boolean | undefined;
  /** @default a host whose key is in the `known_hosts` of this user is trusted, any other is an error */
  readonly encryption?: Encryption | undefined;
}

/** Trusts hosts in the `known_hosts` of this user. */
export function knownHostsOnly(): Encryption {
  const trust = new HostTrust({});
  return { checkKey: (route, pin) => trust.check(route, pin) };
}

/**
 * For probes of all hops of a route, on connections of their own. Only the key of the last hop was trusted: those of
 * the hops before it may be any, and no user is asked about them.
 */
export function forProbes(
  route: Route,
  { plain, encryption = knownHostsOnly() }: EncryptionOptions,
): EncryptionOptions {
  const checkKey: Encryption['checkKey'] = async (checked, pin) => {
    if (checked.length === route.length) await encryption.checkKey(checked, pin);
  };
  return { plain, encryption: { ...encryption, checkKey, sessions: undefined } };
}

/** Runs requests that share connections, and ends these afterwards. */
export async function withSessions<O extends EncryptionOptions, T>(
  options: O,
  act: (options: O) => Promise<T>,
): Promise<T> {
  const { plain = false, encryption } = options;
  if (plain || encryption?.sessions !== undefined) return act(options);
  const sessions = new Sessions();
  const shared: Encryption = { ...(encryption ?? knownHostsOnly()), sessions };
  try {
    return await act({ ...options, encryption: shared });
  } finally {
    await sessions.close();
  }
}
