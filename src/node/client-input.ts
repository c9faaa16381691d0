import type { ByteStream } from '../tcp/byte-stream.js';
import { Gathered } from '../tcp/gathered.js';

/** Input that is held while a reply is on its way, for requests that a client sends ahead. */
export const INPUT_AHEAD_BYTES = 64 * 1024;

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
  const held = new Gathered(begin);
  const reading = stream.attach({
    take: (chunk) => {
      if (limitBytes === 0) return true;
      held.add(chunk);
      return held.length < limitBytes;
    },
    end: () => {},
  });
  if (limitBytes === 0 || held.length < limitBytes) reading.resume();
  return {
    hasMore: begin.length > 0,
    stop: () => {
      reading.detach();
      return held.bytes;
    },
  };
}
