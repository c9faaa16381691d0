import { ViaductError } from '../../errors.js';
import { HEAD_BYTES } from './head.js';

/** The line before a chunk (RFC 9112 §7.1.1 asks to bound its extensions). */
const CHUNK_LINE_BYTES = 1024;

/**
 * Takes the chunked coding off a body (RFC 9112 §7.1), strictly: CRLF only, a bounded size line. Chunk
 * extensions and trailer fields are ignored.
 */
export class ChunkDecoder {
  /** The last chunk and the trailer section have come. */
  done = false;
  /** Bytes of the last call that came after that: they are not of this body. */
  excess = 0;
  #state: 'size' | 'content' | 'after content' | 'trailers' = 'size';
  /** Of the present chunk. */
  #left = 0;
  /** The beginning of an incomplete line. */
  #line = '';
  #trailerBytes = 0;

  /**
   * The parts of the content in more bytes of the body, as views of them. It stops at the end of the body.
   * @throws ViaductError BAD_REPLY, with a message that follows the hop's name
   */
  *decode(bytes: Buffer): Generator<Buffer, void> {
    this.excess = bytes.length;
    for (let at = 0; at < bytes.length && !this.done;) {
      if (this.#state === 'content') {
        const content = bytes.subarray(at, at + this.#left);
        at += content.length;
        this.#left -= content.length;
        if (this.#left === 0) this.#state = 'after content';
        this.excess = bytes.length - at;
        yield content;
      } else {
        const end = bytes.indexOf('\n', at);
        const next = end === -1 ? bytes.length : end + 1;
        this.#line += bytes.toString('latin1', at, next);
        at = next;
        this.excess = bytes.length - at;
        this.#look();
      }
    }
  }

  /** Reads the line if it is complete. */
  #look(): void {
    const limit = this.#state === 'trailers' ? HEAD_BYTES - this.#trailerBytes : CHUNK_LINE_BYTES;
    if (this.#line.length > limit) throw malformed('a line that is too long');
    if (!this.#line.endsWith('\n')) return;
    if (!this.#line.endsWith('\r\n')) throw malformed('a line that does not end in CRLF');
    const line = this.#line.slice(0, -2);
    this.#line = '';
    switch (this.#state) {
      case 'size': {
        const [, size] = /^([0-9a-f]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/i.exec(line) ?? [];
        if (size === undefined) throw malformed('a malformed size');
        this.#left = Number.parseInt(size, 16);
        this.#state = this.#left === 0 ? 'trailers' : 'content';
        return;
      }
      case 'after content':
        if (line !== '') throw malformed('more content than its size says');
        this.#state = 'size';
        return;
      case 'trailers':
        this.#trailerBytes += line.length + 2;
        this.done = line === '';
        return;
      case 'content': // Content is not read as lines.
    }
  }
}

function malformed(what: string): ViaductError {
  return new ViaductError('BAD_REPLY', `sent a malformed chunk: ${what}`);
}
