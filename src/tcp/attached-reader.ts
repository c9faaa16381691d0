import type { Reading, StreamReader } from './byte-stream.js';
import { ReadBuffer } from './read-buffer.js';

/** What an attached reader can do with its stream. */
export interface ReadControl {
  resume(attached: AttachedReader): void;
  pause(): void;
  shrink(): void;
  detach(): void;
}

/** The reader of a stream, with its read buffer if it has one. */
export class AttachedReader implements Reading {
  readonly reader: StreamReader;
  readonly buffer: ReadBuffer | undefined;
  /** `end` has been called. */
  endReported = false;
  /** Undefined once it has detached. */
  #control: ReadControl | undefined;

  constructor(reader: StreamReader, control: ReadControl) {
    this.reader = reader;
    this.buffer = reader.keepsChunks === true ? new ReadBuffer() : undefined;
    this.#control = control;
  }

  resume(): void {
    this.#control?.resume(this);
  }

  pause(): void {
    this.#control?.pause();
  }

  shrink(isFree: boolean): void {
    this.buffer?.release(isFree);
    this.#control?.shrink();
  }

  detach(): void {
    this.#control?.detach();
    this.#control = undefined;
  }
}
