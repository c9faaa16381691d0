import { HTTP_HEAD_PER_HOP_MS, SILENCE_MS } from '../../defaults.js';
import { ViaductError, systemCode } from '../../errors.js';
import { pinOfCertificate } from '../../identity/pin.js';
import { type Hop, type Route, formatHop, hopError, isParked } from '../../route/hop.js';
import { MAY_BE_FULL, isReset } from '../../tcp/early-reset.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import type { EarlyTls, TlsClient } from '../../tls/connect.js';
import { connectTls } from '../../tls/connect.js';
import type { SecuredStream } from '../../tls/handshake.js';
import type { ConnectOptions } from '../first-hop.js';
import type { Encryption } from './encryption.js';

export interface SecureOptions extends ConnectOptions {
  readonly timeoutMs?: number | undefined;
}

/** A connection that reaches the last hop of a route. */
export interface Reached {
  readonly stream: ByteStream;
  /** What was received of it. */
  readonly begin: Buffer;
  /** TLS that has begun with it. */
  readonly early?: EarlyTls | undefined;
}

export function tlsClientFor(hop: Hop, { identity, authorities }: Encryption): TlsClient {
  if (authorities === undefined) return { identity };
  if (isParked(hop))
    throw new ViaductError(
      'USAGE',
      `--ca cannot check ${formatHop(hop)}: no certificate is for a parked node`,
    );
  return { identity, authority: { ca: authorities, host: hop.host } };
}

/**
 * Puts TLS on a connection to the last hop of a route and checks the key there. After an error the connection is reset.
 * @returns undefined if the connection broke while the key was being checked: it may have taken a user minutes
 * @throws ViaductError TLS_FAILED, UNTRUSTED_CERTIFICATE; what `checkKey` throws
 */
export async function secure(
  route: Route,
  reached: Reached,
  encryption: Encryption,
  options: SecureOptions,
): Promise<ByteStream | undefined> {
  return trusted(route, await shakeHands(route, reached, encryption, options), encryption, options);
}

/** How long a handshake with the last hop of a route may take, or the head of its reply, in ms. */
export function headLimitMs(
  route: Route,
  { timeoutMs = SILENCE_MS }: Pick<SecureOptions, 'timeoutMs'>,
): number {
  return route.length * HTTP_HEAD_PER_HOP_MS + timeoutMs;
}

/**
 * Does the handshake on a connection to the last hop of a route; the key is still to be checked.
 * @throws ViaductError TLS_FAILED, CUT_SHORT, TIMEOUT, UNTRUSTED_CERTIFICATE
 */
export function shakeHands(
  route: Route,
  { stream: raw, begin, early }: Reached,
  encryption: Encryption,
  options: SecureOptions,
): Promise<SecuredStream> {
  const { signal = new AbortController().signal } = options;
  const last = lastOf(route);
  const limitMs = headLimitMs(route, options);
  const handshakeOptions = {
    limitMs,
    signal,
    late: () =>
      hopError('TIMEOUT', route.length, last, `did not end the TLS handshake within ${limitMs / 1000} s`),
    failed: (why: string, cause?: unknown) => tlsError(route, why, cause),
  };
  return early === undefined
    ? connectTls(raw, begin, tlsClientFor(last, encryption), handshakeOptions)
    : early.finish(raw, begin, handshakeOptions);
}

/** Checks the key; as {@link secure}. */
export async function trusted(
  route: Route,
  { stream, peerCertificate }: SecuredStream,
  encryption: Encryption,
  { signal }: SecureOptions,
): Promise<ByteStream | undefined> {
  try {
    if (peerCertificate === undefined) throw tlsError(route, 'it sent no certificate');
    if (encryption.authorities === undefined)
      await encryption.checkKey(route, pinOfCertificate(peerCertificate));
    signal?.throwIfAborted();
  } catch (error) {
    stream.reset();
    throw error;
  }
  return stream.closed || stream.ended ? undefined : stream;
}

/** Of OpenSSL and Node, for certificates that do not lead to an authority or are for another host. */
const UNTRUSTED =
  /^(?:CERT_|ERR_TLS_CERT|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_|INVALID_CA|PATH_LENGTH)/;

/** What to do about a hop that does not know TLS. */
export const NEEDS_PLAIN = 'nodes before version 0.2 need --plain, without encryption';

function tlsError(route: Route, why: string, cause?: unknown): ViaductError {
  const code = systemCode(cause) ?? '';
  if (UNTRUSTED.test(code))
    return hopError(
      'UNTRUSTED_CERTIFICATE',
      route.length,
      lastOf(route),
      `has no trusted certificate: ${why}`,
      cause,
    );
  // All that OpenSSL and Node say of TLS has such a code.
  const isBroken = !/^(?:ERR_SSL_|ERR_TLS_|EPROTO$)/.test(code);
  // A node of version 0.1 resets a connection that begins with TLS.
  if (isBroken)
    return hopError(
      'CUT_SHORT',
      route.length,
      lastOf(route),
      `broke the connection during the TLS handshake: ${why}`,
      cause,
      // Node gives an early end the code of a reset, but no system call.
      isReset(cause) && cause instanceof Error && 'syscall' in cause
        ? `${MAY_BE_FULL}; ${NEEDS_PLAIN}`
        : NEEDS_PLAIN,
    );
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return hopError('TLS_FAILED', route.length, lastOf(route), 'does not speak TLS', cause, NEEDS_PLAIN);
  return hopError('TLS_FAILED', route.length, lastOf(route), `cannot be reached in TLS: ${why}`, cause);
}

/** The user, or `known_hosts`, took longer than the host waits. The key is decided on by now. */
export function brokenWhileChecked(route: Route): ViaductError {
  const what = 'broke the connection while its key was being checked; try again';
  return hopError('CUT_SHORT', route.length, lastOf(route), what);
}

export function lastOf(route: Route): Hop {
  const last = route.at(-1);
  if (last === undefined) throw new Error('a checked route has a hop');
  return last;
}
