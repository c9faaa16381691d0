import type { Signal } from '../signal.js';
import type { TLSSocket } from 'node:tls';
import { type ViaductError, systemCode, systemReason } from '../errors.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import { TcpStream } from '../tcp/stream.js';

export interface SecuredStream {
  readonly stream: ByteStream;
  /** The certificate whose key the peer has proved, in DER; undefined without one. */
  readonly peerCertificate: Buffer | undefined;
}

export interface HandshakeOptions {
  readonly limitMs: number;
  readonly signal: Signal;
  /** The error after that time. */
  readonly late: () => ViaductError;
  /** The error if it fails. @param why a few words of OpenSSL or the system */
  readonly failed: (why: string, cause?: unknown) => ViaductError;
}

/**
 * Waits for the handshake of a TLS socket. After an error the connection is reset.
 * @param carrier the connection under it
 * @param event the event of the TLS socket that ends the handshake
 * @throws what `late` and `failed` return; the signal's reason
 */
export function handshake(
  tls: TLSSocket,
  carrier: ByteStream,
  event: 'secure' | 'secureConnect',
  { limitMs, signal, late, failed }: HandshakeOptions,
): Promise<SecuredStream> {
  const stream = TcpStream.over(tls.pause(), carrier);
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      forget();
      tls.off(event, secured);
      tls.off('error', broken);
      tls.off('end', closed);
      signal.removeEventListener('abort', aborted);
    };
    const fail = (error: unknown): void => {
      stop();
      stream.reset();
      reject(error);
    };
    const aborted = (): void => fail(signal.reason);
    const secured = (): void => {
      stop();
      resolve({ stream, peerCertificate: tls.getPeerX509Certificate()?.raw });
    };
    const broken = (cause: Error): void => fail(failed(reasonOf(cause), cause));
    const closed = (): void => {
      const cause = tls.errored ?? carrier.error;
      if (cause) broken(cause);
      else fail(failed('the peer closed the connection'));
    };
    const forget = stream.onClose(closed);
    const timer = setTimeout(() => fail(late()), limitMs);
    tls.once(event, secured);
    // Before the carrier closes, which may end more than the handshake.
    tls.once('error', broken);
    // Node makes an early end an error only for tls.connect.
    tls.once('end', closed);
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
    else if (stream.closed) closed();
  });
}

/** What a failed handshake is reported with. */
function reasonOf(error: Error): string {
  if (isEarlyEnd(error)) return 'the peer closed the connection';
  const reason = systemReason(error);
  return reason === 'wrong version number' ? 'what was received is not TLS' : reason;
}

/** Node's error for a connection that ends before the handshake does; a reset has the system call in it. */
function isEarlyEnd(error: Error): boolean {
  return systemCode(error) === 'ECONNRESET' && !('syscall' in error);
}
