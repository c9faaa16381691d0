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
  readonly #keepsBuffer: boolean;
  /** Undefined once it has detached. */
  #control: ReadControl | undefined;

  /** @param reads whether Node may still read into the buffer of the reader when that gives it up */
  constructor(reader: StreamReader, control: ReadControl, reads: boolean) {
    this.#keepsBuffer = reads;
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
    this.buffer?.release(isFree && !this.#keepsBuffer);
    this.#control?.shrink();
  }

  detach(): void {
    this.#control?.detach();
    this.#control = undefined;
  }
}
