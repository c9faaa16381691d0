import type { ViaductError } from '../errors.js';
import type { Hop } from '../route/hop.js';

/** What a node tells of one connection. `connection` counts the accepted ones from 0. */
export type NodeEvent =
  | { readonly type: 'accepted'; readonly connection: number; readonly peer: string }
  /** Above the limit of connections; it has been reset and takes no number. */
  | { readonly type: 'refused'; readonly peer: string; readonly limit: number }
  /** A thread that moved bytes has died. Its flows are reset, and tell so themselves. */
  | { readonly type: 'pump-died'; readonly cause: Error }
  | { readonly type: 'serving'; readonly connection: number; readonly name: string }
  | { readonly type: 'relaying'; readonly connection: number; readonly name: string; readonly nextHop: Hop }
  /** A relay is connected to the next hop, at this address. */
  | {
      readonly type: 'dialled';
      readonly connection: number;
      readonly address: string;
      readonly seconds: number;
    }
  /** The last byte and FIN are queued. */
  | {
      readonly type: 'completed';
      readonly connection: number;
      readonly bytes: number;
      readonly seconds: number;
    }
  /** The client has been reset. */
  | {
      readonly type: 'failed';
      readonly connection: number;
      readonly error: ViaductError;
      readonly bytes: number;
      readonly seconds: number;
    };
