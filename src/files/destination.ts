import { createHash } from 'node:crypto';
import { ViaductError } from '../errors.js';
import type { Version } from './version.js';

/** Takes one chunk, whose memory is reused once the promise resolves. */
export type Sink = (chunk: Buffer) => Promise<void>;

/** Where the bytes of one file go. */
export interface Destination {
  /** Whether what is there can be taken back. */
  readonly restartable: boolean;
  /** What is there is of this version; undefined before the first {@link begin}. */
  readonly version: Version | undefined;
  /** Bytes that are there. */
  readonly bytes: number;
  /** Starts from nothing, with another version. */
  begin(version: Version): Promise<void>;
  /** Adds to the end; one at a time. */
  write(chunk: Buffer): Promise<void>;
  /** SHA-256 of all that is there, as base64. */
  digest(): Promise<string>;
  /** It is whole: gives it its final name, and that time if the destination keeps times. */
  complete(modified: Date | undefined): Promise<void>;
  /** It is worth nothing: removes it. */
  discard(): Promise<void>;
  /** Lets go of it; what is there stays for a later resume. */
  close(): Promise<void>;
}

/** Bytes that leave as they come, and cannot be taken back: standard output, a device. */
export class StreamDestination implements Destination {
  readonly restartable = false;
  version: Version | undefined;
  bytes = 0;
  readonly #sink: Sink;
  readonly #end: () => Promise<void>;
  readonly #hash = createHash('sha256');
  readonly #verify: boolean;

  /** @param verify whether {@link digest} will be asked for */
  constructor(sink: Sink, verify: boolean, end: () => Promise<void> = async () => {}) {
    this.#sink = sink;
    this.#verify = verify;
    this.#end = end;
  }

  async begin(version: Version): Promise<void> {
    if (this.bytes > 0) {
      const message = `the file changed after ${this.bytes} bytes of it had been written, which cannot be taken back`;
      throw new ViaductError('CHANGED', message);
    }
    this.version = version;
  }

  async write(chunk: Buffer): Promise<void> {
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
