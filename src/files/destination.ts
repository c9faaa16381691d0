import { createHash } from 'node:crypto';
import { ViaductError } from '../errors.js';
import { type ByteRanges, addRange } from './ranges.js';
import type { Version } from './version.js';

/** Takes one chunk. The chunk is valid only until the promise resolves. */
export type Sink = (chunk: Buffer) => Promise<void>;

/** Where the bytes of one file are written. */
export interface Destination {
  /** Whether bytes that were written can be replaced. */
  readonly restartable: boolean;
  /** The version of the file that the bytes belong to; undefined before the first {@link begin}. */
  readonly version: Version | undefined;
  /** Number of bytes that were written, over all ranges. */
  readonly bytes: number;
  /** Number of bytes from the beginning up to the first gap: a transfer resumes here, and this much can be hashed. */
  readonly contiguousBytes: number;
  /** Which bytes were written. */
  readonly ranges: ByteRanges;
  /** Whether all bytes of {@link version} were written. */
  readonly isComplete: boolean;
  /** Drops what was written and starts with a new version. @throws ViaductError CHANGED if not restartable */
  begin(version: Version): Promise<void>;
  /**
   * Writes a chunk at a position of the file; one call at a time. A destination that is not restartable accepts only
   * the position {@link bytes}.
   */
  write(chunk: Buffer, position: number): Promise<void>;
  /** SHA-256 of the contiguous bytes, as base64. */
  digest(): Promise<string>;
  /** Gives the complete file its final name, and sets its modification time if one is given. */
  complete(modified: Date | undefined): Promise<void>;
  /** Removes what was written. */
  discard(): Promise<void>;
  /** Closes it. What was written stays, so that a later transfer can resume. */
  close(): Promise<void>;
}

/** A destination that cannot take bytes back: standard output, a device, a function. */
export class StreamDestination implements Destination {
  readonly restartable = false;
  version: Version | undefined;
  bytes = 0;
  readonly #sink: Sink;
  readonly #end: () => Promise<void>;
  readonly #hash = createHash('sha256');
  readonly #verify: boolean;

  /**
   * @param verify whether {@link digest} will be called
   * @param end closes the sink
   */
  constructor(sink: Sink, verify: boolean, end: () => Promise<void> = async () => {}) {
    this.#sink = sink;
    this.#verify = verify;
    this.#end = end;
  }

  get contiguousBytes(): number {
    return this.bytes;
  }

  get ranges(): ByteRanges {
    return addRange([], { start: 0, end: this.bytes });
  }

  get isComplete(): boolean {
    return this.bytes === this.version?.size;
  }

  async begin(version: Version): Promise<void> {
    if (this.bytes > 0) {
      const message = `the file changed after ${this.bytes} bytes of it had been written to the output`;
      throw new ViaductError('CHANGED', message);
    }
    this.version = version;
  }

  async write(chunk: Buffer, position: number): Promise<void> {
    if (position !== this.bytes)
      throw new Error(`a stream at byte ${this.bytes} cannot write at ${position}`);
    if (this.#verify) this.#hash.update(chunk);
    await this.#sink(chunk);
    this.bytes += chunk.length;
  }

  async digest(): Promise<string> {
    return this.#hash.digest('base64');
  }

  async complete(): Promise<void> {}

  async discard(): Promise<void> {}

  close(): Promise<void> {
    return this.#end();
  }
}
