import { connect } from 'node:tls';
import { ViaductError } from '../errors.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import { CIPHERS } from './ciphers.js';
import { type SecuredStream, handshake } from './handshake.js';

export interface ConnectTlsOptions {
  /** What to prove if the node asks who reads, as PEM. @default nothing */
  readonly identity?: { readonly key: string; readonly cert: string } | undefined;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** @param why what OpenSSL or the system says */
  readonly failed: (why: string, cause?: unknown) => ViaductError;
}

/**
 * Begins TLS 1.3 on a connection. Nothing decides yet whether the certificate is the right one: that is for the caller,
 * before it sends a byte.
 * @param begin what was received before
 * @throws what `failed` returns; the signal's reason
 */
export function connectTls(
  stream: ByteStream,
  begin: Buffer,
  { identity, ...options }: ConnectTlsOptions,
): Promise<SecuredStream> {
  return handshake(stream, {
    ...options,
    begin,
    wrap: (socket) =>
      connect({
        socket,
        minVersion: 'TLSv1.3',
        ciphers: CIPHERS,
        ALPNProtocols: ['http/1.1'],
        // The pin decides, and names of hops mean nothing to others.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
        ...identity,
      }),
    event: 'secureConnect',
  });
}
