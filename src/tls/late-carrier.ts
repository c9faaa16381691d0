import { Duplex } from 'node:stream';
import type { ByteStream, Reading } from '../tcp/byte-stream.js';

/**
 * Stands under a TLS socket while there is no connection yet: the ClientHello that TLS writes can travel with the request
 * for that connection. Afterwards it carries the connection's bytes.
 */
export class LateCarrier extends Duplex {
  /** What TLS wrote first. Never rejects. */
  readonly hello: Promise<Buffer>;
  #helloWritten: (hello: Buffer) => void = () => {};
  #carrier: ByteStream | undefined;
  #reading: Reading | undefined;

  constructor() {
    // Nothing is read ahead: a chunk that TLS does not take at once stays where it is, and the connection pauses.
    super({ allowHalfOpen: true, readableHighWaterMark: 0 });
    this.hello = new Promise((resolve) => (this.#helloWritten = resolve));
  }

  /** @param begin what was received of it before */
  carry(carrier: ByteStream, begin: Buffer): void {
    this.#carrier = carrier;
    carrier.onClose(() => this.destroy(carrier.error));
    const isTaken = begin.length === 0 || this.push(begin);
    this.#reading = carrier.attach({
      take: (chunk) => this.push(chunk),
      end: () => void this.push(null),
      keepsChunks: true,
    });
    if (carrier.closed) this.destroy(carrier.error);
    else if (isTaken) this.#reading.resume();
  }

  override _read(): void {
    this.#reading?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#carrier === undefined) {
      this.#helloWritten(chunk);
      done();
    } else if (this.#carrier.write(chunk, done)) done();
  }

  override _final(done: () => void): void {
    if (this.#carrier === undefined) done();
    else this.#carrier.finish(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#carrier?.close();
    done(error);
  }
}
