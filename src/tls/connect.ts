import { isIP } from 'node:net';
import { type ConnectionOptions, type TLSSocket, connect } from 'node:tls';
import type { ByteStream } from '../tcp/byte-stream.js';
import { CIPHERS } from './ciphers.js';
import { type HandshakeOptions, type SecuredStream, handshake } from './handshake.js';
import { LateCarrier } from './late-carrier.js';

/** What a client brings to a handshake. */
export interface TlsClient {
  /** What to prove if the node asks who reads, as PEM. @default nothing */
  readonly identity?: { readonly key: string; readonly cert: string } | undefined;
  /**
   * The certificate must be for this host and come from one of these authorities.
   * @default none: any certificate completes the handshake, and the caller decides by its key before it sends a byte
   */
  readonly authority?: { readonly ca: readonly string[]; readonly host: string } | undefined;
}

/**
 * Does the handshake of TLS 1.3 on a connection.
 * @param begin what was received before
 * @throws what `late` and `failed` return; the signal's reason
 */
export function connectTls(
  stream: ByteStream,
  begin: Buffer,
  client: TlsClient,
  options: HandshakeOptions,
): Promise<SecuredStream> {
  const tls = connect({ socket: stream.releaseSocket(begin), ...connectionOptions(client) });
  return handshake(tls, stream, 'secureConnect', options);
}

/** TLS that begins before there is a connection. */
export class EarlyTls {
  readonly #carrier = new LateCarrier();
  readonly #socket: TLSSocket;

  constructor(client: TlsClient) {
    this.#socket = connect({ socket: this.#carrier, ...connectionOptions(client) });
    this.#socket.on('error', () => {}); // Read by the handshake.
  }

  /** The ClientHello. */
  get hello(): Promise<Buffer> {
    return this.#carrier.hello;
  }

  /** Goes on with the handshake, as {@link connectTls}, on a connection whose other end has the ClientHello. */
  finish(stream: ByteStream, begin: Buffer, options: HandshakeOptions): Promise<SecuredStream> {
    const secured = handshake(this.#socket, stream, 'secureConnect', options);
    // Afterwards: the handshake may end with the first bytes.
    this.#carrier.carry(stream, begin);
    return secured;
  }

  /** There will be no connection. */
  discard(): void {
    this.#socket.destroy();
    this.#carrier.destroy();
  }
}

function connectionOptions({ identity, authority }: TlsClient): ConnectionOptions {
  const trust: ConnectionOptions =
    authority === undefined
      ? { rejectUnauthorized: false, checkServerIdentity: () => undefined }
      : {
          rejectUnauthorized: true,
          ca: [...authority.ca],
          host: authority.host,
          // RFC 6066 §3: names only. A proxy may choose the certificate by it.
          ...(isIP(authority.host) === 0 && { servername: authority.host }),
        };
  return { minVersion: 'TLSv1.3', ciphers: CIPHERS, ALPNProtocols: ['http/1.1'], ...trust, ...identity };
}
