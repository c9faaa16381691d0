import type { ByteStream } from '../tcp/byte-stream.js';

/** A client's input while its reply is on the way. */
export interface HeldInput {
  /** What was read before has bytes behind the request. */
  readonly hasMore: boolean;
  /** Stops reading, so that another reader can attach. Returns what was held. */
  stop(): Buffer;
}

/**
 * Reads a client's input, so that its departure is noticed, and holds it for a request that follows.
 * @param begin what was read before
 * @param limitBytes reading pauses at this amount; 0 drops everything
 */
export function holdInput(stream: ByteStream, begin: Buffer, limitBytes: number): HeldInput {
  let bytes = begin;
  const reading = stream.attach({
    take: (chunk) => {
      if (limitBytes === 0) return true;
      bytes = Buffer.concat([bytes, chunk]);
      return bytes.length < limitBytes;
    },
    end: () => {},
  });
  if (limitBytes === 0 || bytes.length < limitBytes) reading.resume();
  return {
    hasMore: begin.length > 0,
    stop: () => {
      reading.detach();
      return bytes;
    },
  };
}
