import { ChunkDecoder } from './chunked.js';

/** What some bytes have of a body. */
interface BodyPart {
  /** Its content, as views. */
  readonly pieces: readonly Buffer[];
  /** What follows the body. */
  readonly rest: Buffer;
  readonly isDone: boolean;
}

/** Takes the next bytes of a body apart. @throws ViaductError BAD_REPLY */
export type BodyReader = (bytes: Buffer) => BodyPart;

/** @param framing the length of the body, or chunks */
export function bodyReader(framing: number | 'chunks'): BodyReader {
  return framing === 'chunks' ? ofChunks() : ofLength(framing);
}

function ofLength(length: number): BodyReader {
  let left = length;
  return (bytes) => {
    const piece = bytes.subarray(0, left);
    left -= piece.length;
    return { pieces: [piece], rest: bytes.subarray(piece.length), isDone: left === 0 };
  };
}

function ofChunks(): BodyReader {
  const decoder = new ChunkDecoder();
  return (bytes) => {
    const pieces = [...decoder.decode(bytes)];
    return { pieces, rest: bytes.subarray(bytes.length - decoder.excess), isDone: decoder.done };
  };
}
