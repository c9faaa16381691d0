import { OFFLOAD_BYTES } from '../defaults.js';

/**
 * Sizes of a read buffer. It starts small, so that idle connections cost little, and grows when it is filled: to the
 * middle size, and after `OFFLOAD_BYTES` to the size at which throughput stops growing (measured). A large flow that
 * can be spliced never gets so far, and holds little if its reader stalls before.
 */
export const BUFFER_MIN = 2 * 1024;
const BUFFER_MID = 32 * 1024;
export const BUFFER_MAX = 256 * 1024;

/** Large buffers that wait for the next connection with much traffic. */
const SPARE_BUFFERS = 4;

/**
 * Used by all readers that copy what they need before they return. It holds the largest head; 64 flows at once cost 5 to
 * 10 % more CPU with 64 KiB (measured), since the first chunk of a reader that keeps chunks is copied out of it.
 */
export const SHARED_BUFFER: Buffer = Buffer.allocUnsafeSlow(16 * 1024);

/** The buffer of one reader that keeps chunks until they are written elsewhere. */
export class ReadBuffer {
  #buffer: Buffer | undefined;
  /** The last chunk reached the end of the buffer. */
  #isFull = false;

  /** What to read into next. */
  get current(): Buffer {
    return (this.#buffer ??= Buffer.allocUnsafeSlow(BUFFER_MIN));
  }

  /** Reports a chunk, which may be in an earlier buffer. */
  filled(chunk: Buffer): void {
    const buffer = this.#buffer;
    this.#isFull = chunk.buffer === buffer?.buffer && chunk.byteOffset + chunk.length === buffer.length;
  }

  /**
   * Takes a larger buffer if the last chunk reached the end of this one. Not called before that chunk is free: a reader that stalls
   * keeps the small buffer.
   * @param received bytes of the connection so far
   */
  grow(received: number): void {
    if (!this.#isFull || this.#buffer === undefined) return;
    const { length } = this.#buffer;
    this.#isFull = false;
    if (length < BUFFER_MID) this.#buffer = Buffer.allocUnsafeSlow(BUFFER_MID);
    else if (length < BUFFER_MAX && received >= OFFLOAD_BYTES) this.#buffer = takeLarge();
  }

  /** Gives the buffer up. @param isFree the last chunk is no longer needed */
  release(isFree: boolean): void {
    const buffer = this.#buffer;
    this.#buffer = undefined;
    this.#isFull = false;
    if (isFree && buffer?.length === BUFFER_MAX && spares.length < SPARE_BUFFERS) spares.push(buffer);
  }
}

const spares: Buffer[] = [];

function takeLarge(): Buffer {
  return spares.pop() ?? Buffer.allocUnsafeSlow(BUFFER_MAX);
}
