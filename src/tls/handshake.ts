import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ViaductError } from '../errors.js';
import type { ByteStream } from '../tcp/byte-stream.js';

export interface SecuredStream {
  readonly stream: ByteStream;
  /** The certificate whose key the peer has proved, in DER; undefined without one. */
  readonly peerCertificate: Buffer | undefined;
}

interface HandshakeOptions {
  /** Bytes of it that were read before. */
  readonly begin: Buffer;
  readonly wrap: (socket: Socket) => TLSSocket;
  /** The event of the TLS socket that ends it. */
  readonly event: 'secure' | 'secureConnect';
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** The error if it fails. @param why a few words of OpenSSL or the system */
  readonly failed: (why: string, cause?: unknown) => ViaductError;
}

/**
 * Puts TLS on a connection and waits for the handshake. After an error the connection is reset.
 * @throws what `failed` returns; the signal's reason
 */
export function handshake(raw: ByteStream, options: HandshakeOptions): Promise<SecuredStream> {
  const { signal, limitMs, failed } = options;
  return new Promise((resolve, reject) => {
    let tls: TLSSocket | undefined;
    let isOver = false;
    const stop = (): void => {
      isOver = true;
      clearTimeout(timer);
      forget();
      signal.removeEventListener('abort', aborted);
    };
    const fail = (error: unknown): void => {
      stop();
      stream.reset();
      reject(error);
    };
    const done = (): void => {
      if (isOver) return;
      stop();
      resolve({ stream, peerCertificate: tls?.getPeerX509Certificate()?.raw });
    };
    const aborted = (): void => fail(signal.reason);
    const closed = (): void => {
      const cause = tls?.errored ?? raw.error;
      fail(failed(cause ? reasonOf(cause) : 'the peer closed the connection', cause ?? undefined));
    };
    const stream = raw.secured(options.begin, (socket) => {
      tls = options.wrap(socket);
      // Not in the event itself: OpenSSL is still at work below it, and a reset there ends the process (SIGSEGV).
      tls.once(options.event, () => setImmediate(done));
      return tls;
    });
    const forget = stream.onClose(closed);
    const timer = setTimeout(() => fail(failed(`it was not done within ${limitMs / 1000} s`)), limitMs);
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
    else if (stream.closed) closed();
  });
}

/** An error of OpenSSL has its reason apart: the message has addresses, file names and a line feed around it. */
function reasonOf(error: Error & { readonly reason?: unknown }): string {
  if (typeof error.reason !== 'string') return error.message;
  return error.reason === 'wrong version number' ? 'what was received is not TLS' : error.reason;
}
