import { type SecureContext, TLSSocket, createSecureContext } from 'node:tls';
import { ViaductError } from '../errors.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import { CIPHERS } from './ciphers.js';
import { type SecuredStream, handshake } from './handshake.js';

/** How a node speaks TLS. */
export interface TlsServer {
  /** With its key and certificate, for TLS 1.3 only. */
  readonly context: SecureContext;
  /** Ask clients for a certificate; any is accepted, as its pin decides. */
  readonly asksClients: boolean;
}

/**
 * TLS 1.3 only: older versions show the certificate to everyone on the way.
 * @throws Error of OpenSSL if key and certificate are not a pair
 */
export function tlsServer(
  { key, cert }: { readonly key: string; readonly cert: string },
  asksClients = false,
): TlsServer {
  const context = createSecureContext({
    key,
    cert,
    minVersion: 'TLSv1.3',
    ciphers: CIPHERS,
    honorCipherOrder: true,
  });
  return { context, asksClients };
}

export interface AcceptOptions extends TlsServer {
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Accepts TLS on a connection.
 * @param begin what was read of it before
 * @throws ViaductError TLS_FAILED, CLIENT_GONE; the signal's reason
 */
export function acceptTls(
  stream: ByteStream,
  begin: Buffer,
  { context, asksClients, limitMs, signal }: AcceptOptions,
): Promise<SecuredStream> {
  const socket = new TLSSocket(stream.releaseSocket(begin), {
    isServer: true,
    secureContext: context,
    requestCert: asksClients,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  return handshake(socket, stream, 'secure', {
    limitMs,
    signal,
    late: () => new ViaductError('TLS_FAILED', `the TLS handshake took longer than ${limitMs / 1000} s`),
    failed: (why, cause) =>
      cause === undefined || (cause instanceof Error && 'syscall' in cause)
        ? new ViaductError('CLIENT_GONE', 'the client left', { cause })
        : new ViaductError('TLS_FAILED', `the TLS handshake failed: ${why}`, { cause }),
  });
}
