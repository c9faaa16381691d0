import type { FileHandle } from 'node:fs/promises';
import type { Field } from '../../wire/http/head.js';

/** A reply that a node makes itself. */
export interface Reply {
  readonly status: number;
  readonly fields: readonly Field[];
  /** Whole, a part of an open file, several such pieces, bytes again and again, or text that is made while it is sent. */
  readonly body: Buffer | FilePart | Pieces | Repeated | AsyncIterable<string>;
}

interface Pieces {
  /** Each buffer is valid until the next piece is asked for. */
  readonly pieces: AsyncIterable<Buffer | FilePart>;
  /** In all. */
  readonly length: number;
}

interface Repeated {
  readonly repeated: Buffer;
  /** In all. */
  readonly length: number;
}

/** Closed by the code that opened it. */
export interface FilePart {
  readonly handle: FileHandle;
  readonly start: number;
  readonly length: number;
  /** Called now and then while it is sent. @throws ViaductError CHANGED if it is no longer the same file */
  readonly check?: () => Promise<void>;
  /** Called with the bytes, in order, before they are sent; they are valid until it returns. */
  readonly onChunk?: ((chunk: Buffer) => void) | undefined;
}

/** Sends the client to another path. @param location relative, so that it keeps the route in front of it */
export function redirectReply(location: string): Reply {
  return {
    status: 301,
    fields: [
      ['Location', location],
      ['Cache-Control', 'no-cache'],
    ],
    body: Buffer.alloc(0),
  };
}
