/**
 * Bytes that arrive in pieces, as one chunk. Room is doubled when it is short, so that many small pieces (TLS records of one
 * byte) cost no more than their sum: with `Buffer.concat` each would copy all that came before.
 */
export class Gathered {
  #room: Buffer;
  #length: number;

  /** @param begin not written to */
  constructor(begin: Buffer) {
    this.#room = begin;
    this.#length = begin.length;
  }

  get length(): number {
    return this.#length;
  }

  /** All so far. Stays as it is when more is added. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  add(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#room.length) {
      const room = Buffer.allocUnsafe(Math.max(length, 2 * this.#length));
      this.#room.copy(room, 0, 0, this.#length);
      this.#room = room;
    }
    chunk.copy(this.#room, this.#length);
    this.#length = length;
  }
}
