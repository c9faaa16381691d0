import { SHARED_BUFFER } from './read-buffer.js';

/** TLS delivers records of at most this size (RFC 8446 §5.1). */
const RECORD_BYTES = 16 * 1024;

const NONE: Buffer[] = [];

/**
 * Chunks that wait for a reader, which may hold another one. With TLS all records that were read together are delivered,
 * also after a pause: they are read to one place after the other in the reader's buffer, which is used as a ring, and
 * handed over as one chunk.
 */
export class Unread {
  /** TLS: the chunk that the reader holds. */
  held: Buffer | undefined;
  /** None costs nothing: most connections never have any. */
  #chunks: Buffer[] = NONE;

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  push(chunk: Buffer): void {
    if (this.#chunks === NONE) this.#chunks = [];
    const last = this.#chunks.at(-1);
    if (chunk.buffer === SHARED_BUFFER.buffer)
      this.#chunks.push(Buffer.from(chunk)); // It is read into again at once.
    else if (last !== undefined && isNext(last, chunk))
      this.#chunks.splice(-1, 1, Buffer.from(last.buffer, last.byteOffset, last.length + chunk.length));
    else this.#chunks.push(chunk);
  }

  /** Whether another record fits behind these chunks, which are in the reader's buffer if it has one. */
  hasRoom(buffer: Buffer | undefined): boolean {
    const last = this.#chunks.at(-1);
    if (buffer === undefined || last === undefined || last.buffer !== buffer.buffer) return false;
    return buffer.length - last.byteOffset - last.length >= RECORD_BYTES;
  }

  /** All of it, as one chunk. */
  take(): Buffer {
    const chunks = this.#chunks;
    this.#chunks = NONE;
    const [first] = chunks;
    return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
  }

  /** The buffer that chunks are in is going to be used by others. */
  copy(): void {
    if (this.#chunks.length > 0) this.#chunks = [Buffer.concat(this.#chunks)];
  }

  /** The part of a buffer to read into next: behind the last chunk, or before the first. Undefined if there is no room. */
  freePart(buffer: Buffer): Buffer | undefined {
    const inUse = (this.held === undefined ? this.#chunks : [this.held, ...this.#chunks]).filter(
      (chunk) => chunk.buffer === buffer.buffer,
    );
    const [first, last] = [inUse[0], inUse.at(-1)];
    if (first === undefined || last === undefined) return buffer;
    const from = last.byteOffset + last.length;
    const isWrapped = from <= first.byteOffset;
    const wraps = !isWrapped && buffer.length - from < RECORD_BYTES && first.byteOffset > 0;
    const part = wraps
      ? buffer.subarray(0, first.byteOffset)
      : buffer.subarray(from, isWrapped ? first.byteOffset : buffer.length);
    return part.length > 0 ? part : undefined;
  }
}

function isNext(chunk: Buffer, next: Buffer): boolean {
  return next.buffer === chunk.buffer && next.byteOffset === chunk.byteOffset + chunk.length;
}
