import type { Signal } from '../signal.js';
import { type SecureContext, TLSSocket, createSecureContext } from 'node:tls';
import { ViaductError, systemReason } from '../errors.js';
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
    // OpenSSL breaks a resumed handshake without it if clients are asked. The ticket has the proved certificate in it.
    sessionIdContext: 'viaduct',
  });
  return { context, asksClients };
}

export interface AcceptOptions extends TlsServer {
  readonly limitMs: number;
  readonly signal: Signal;
  /** Called when a record after the handshake cannot be read: the stream must be reset then. */
  readonly broken: (error: ViaductError) => void;
}

/**
 * Accepts TLS on a connection.
 * @param begin what was read of it before
 * @throws ViaductError TLS_FAILED, CLIENT_GONE; the signal's reason
 */
export function acceptTls(
  stream: ByteStream,
  begin: Buffer,
  { context, asksClients, limitMs, signal, broken }: AcceptOptions,
): Promise<SecuredStream> {
  const socket = new TLSSocket(stream.releaseSocket(begin), {
    isServer: true,
    secureContext: context,
    requestCert: asksClients,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  // Not documented: without a TLS server of Node around it, a TLSSocket of a server reports errors after the handshake only
  // with this event, and stays open (measured with Node 20 and 26). Later than the event: a reset inside OpenSSL's
  // callback crashes Node (TcpStream.reset).
  socket.once('secure', () =>
    socket.once('_tlsError', (cause: Error) =>
      setImmediate(() =>
        broken(new ViaductError('TLS_FAILED', `TLS broke: ${systemReason(cause)}`, { cause })),
      ),
    ),
  );
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
