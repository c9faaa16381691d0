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
    super({ allowHalfOpen: true });
    this.hello = new Promise((resolve) => (this.#helloWritten = resolve));
  }

  /** @param begin what was received of it before */
  carry(carrier: ByteStream, begin: Buffer): void {
    this.#carrier = carrier;
    carrier.onClose(() => this.destroy(carrier.error));
    if (begin.length > 0) this.push(begin);
    this.#reading = carrier.attach({
      // TLS takes it at once, unless its reader has paused.
      take: (chunk) => this.push(Buffer.from(chunk)),
      end: () => void this.push(null),
    });
    if (carrier.closed) this.destroy(carrier.error);
    else this.#reading.resume();
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
