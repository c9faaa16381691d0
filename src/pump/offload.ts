import type { Limit } from '../tcp/live-limit.js';
import type { FlowFailure, MovedBytes } from './pump.js';

/** A flow, or the rest of one, that is to be moved outside of Node. */
export interface OffloadJob {
  /** Descriptors. Only the offload uses them until the result; the caller closes them. */
  readonly client: number;
  readonly upstream: number;
  /** Bytes that go from upstream to client, at most; 0 for none. */
  readonly down: number;
  /** Bytes go from client to upstream as well. If not, what the client sends is dropped. */
  readonly up: boolean;
  /** What the client sends, and is not wanted, stays with the kernel. */
  readonly keepInput: boolean;
  /** Limits, as in a flow. */
  readonly silenceMs: number;
  readonly stall: Limit;
}

/** What was moved, and why no more. */
export interface OffloadResult extends MovedBytes {
  /** Bytes that were read and are still to be written, if the flow goes on. */
  readonly restForClient?: Uint8Array | undefined;
  readonly restForUpstream?: Uint8Array | undefined;
  readonly end: OffloadEnd;
}

export type OffloadEnd =
  /** The flow goes on in Node: a source has no more to give, it was aborted, or there is no pipe for it. */
  | { readonly how: 'returned' }
  /** The flow is over. `errno`, negative, unless it was a limit. */
  | {
      readonly how: 'failed';
      readonly side: FlowFailure['side'];
      readonly code: Exclude<FlowFailure['code'], 'INTERNAL' | 'ABORTED'>;
      readonly errno: number | undefined;
    }
  /** The thread that moved it died: what happened to its bytes is unknown. */
  | { readonly how: 'lost'; readonly cause: Error };

/** A flow that is being moved outside of Node. */
export interface OffloadedFlow {
  /** Since the flow was taken; live. */
  readonly moved: MovedBytes;
  /** Never rejects. */
  readonly result: Promise<OffloadResult>;
  /** Asks for an early result. */
  abort(): void;
}

/** Moves large flows outside of Node, at the kernel's speed. */
export interface Offload {
  /** Whether a flow can be taken now. */
  ready(): boolean;
  take(job: OffloadJob): OffloadedFlow;
  /** Ends it; every flow must have ended before. */
  close(): Promise<void>;
}

export const NOTHING_MOVED: MovedBytes = { toClient: 0, toUpstream: 0 };
