import type { FileAt } from './planned-source.js';

/** A piece of an archive, which begins at `at`. */
export type Piece = BytesPiece | FilePiece;

interface BytesPiece {
  readonly at: number;
  /** Called once all pieces before it were sent. */
  readonly bytes: () => Buffer;
}

export interface FilePiece {
  readonly at: number;
  readonly header: Buffer;
  readonly file: FileAt;
  /** What stands behind the file. @param crc its CRC-32; 0 if the layout does not need it */
  readonly trailer: (crc: number) => Buffer;
}

/** Where everything stands in an archive. */
export interface Layout {
  /** Of the whole archive, in bytes. */
  readonly size: number;
  /** Trailers have the CRC-32 of their file, so the archive can only be sent from its beginning. */
  readonly needsCrc: boolean;
  /** The pieces of the archive, in order, from the one with the byte at a position on. */
  from(position: number): Generator<Piece>;
}
