import { OFFLOAD_BYTES } from '../defaults.js';
import { BUFFER_MAX } from './read-buffer.js';

/** The most that a record of TLS carries (RFC 8446 §5.1). Node delivers each by itself, also those that it read together. */
const RECORD_BYTES = 16 * 1024;
const FIRST_BYTES = 2 * RECORD_BYTES;

/**
 * Gathers records of TLS into chunks for a reader that keeps them: a chunk per turn of the event loop, or a full buffer.
 * Two buffers, one being filled while the reader may hold a chunk of the other.
 */
export class RecordBuffer {
  #filling: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #other: Buffer | undefined;
  /** Where the chunk begins that is being gathered, and where it ends so far. */
  #start = 0;
  #end = 0;
  /** What the reader was given last. */
  #given: Buffer | undefined;

  /** No bytes wait. */
  get isEmpty(): boolean {
    return this.#end === this.#start;
  }

  get isFull(): boolean {
    return this.#filling.length - this.#end < RECORD_BYTES;
  }

  /**
   * What to read into next; undefined if there is no room.
   * @param received bytes of the connection so far
   * @param isHeld the reader holds the last chunk
   */
  room(received: number, isHeld: boolean): Buffer | undefined {
    if (this.isFull && this.isEmpty && !(isHeld && this.#given === this.#other)) {
      const size = received < OFFLOAD_BYTES ? FIRST_BYTES : BUFFER_MAX;
      const next = this.#other?.length === size ? this.#other : Buffer.allocUnsafeSlow(size);
      [this.#filling, this.#other, this.#start, this.#end] = [next, this.#filling, 0, 0];
    }
    return this.#end < this.#filling.length ? this.#filling.subarray(this.#end) : undefined;
  }

  /** Counts what was read into the room. */
  filled(bytes: number): void {
    this.#end += bytes;
  }

  /** Takes the chunk, valid until the reader resumes. */
  take(): Buffer {
    const chunk = this.#filling.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#given = this.#filling;
    return chunk;
  }
}
