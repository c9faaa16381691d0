import type { HostHop } from '../route/hop.js';
import type { ByteStream } from './byte-stream.js';

/** A connection that has come, and costs next to nothing until it is accepted. Exactly one of the two is to be called. */
export interface Incoming {
  readonly remote: HostHop;
  accept(): ByteStream;
  /** Resets it. */
  refuse(): void;
}
