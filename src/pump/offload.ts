import type { FlowFailure } from './pump.js';

/** A flow, or what is left of it, that is to be moved outside of Node. */
export interface Job {
  /** Descriptors, that nobody else touches until the outcome is there. They stay the caller's to close. */
  readonly client: number;
  readonly upstream: number;
  /** Bytes go from upstream to client, this many at most; 0 for none. */
  readonly down: number;
  /** Bytes go from client to upstream as well. If not, what the client sends is dropped. */
  readonly up: boolean;
  /** As in a flow, in ms. */
  readonly silenceMs: number;
  readonly stallMs: number;
}

/** What was moved, and why no more. */
export interface Outcome {
  /** Bytes that the kernel of each side has taken. */
  readonly toClient: number;
  readonly toUpstream: number;
  /** Bytes that were read and are still to be written, if the flow goes on. */
  readonly restForClient?: Uint8Array | undefined;
  readonly restForUpstream?: Uint8Array | undefined;
  readonly end: End;
}

export type End =
  /** The flow goes on elsewhere as it is: a source has no more to give, it was aborted, or there is no pipe for it. */
  | { readonly how: 'returned' }
  /** The flow is over. `errno`, negative, unless it was a limit. */
  | {
      readonly how: 'failed';
      readonly side: FlowFailure['side'];
      readonly code: Exclude<FlowFailure['code'], 'INTERNAL' | 'ABORTED'>;
      readonly errno: number | undefined;
    }
  /** Who moved it is no more: what has become of its bytes cannot be known. */
  | { readonly how: 'lost'; readonly cause: Error };

/** A flow that is being moved elsewhere. */
export interface Lease {
  /** Never rejects. */
  readonly outcome: Promise<Outcome>;
  /** Asks for an early outcome. */
  abort(): void;
}

/** Moves large flows outside of Node, at the kernel's speed. */
export interface Offload {
  /** Whether a flow can be taken now. */
  ready(): boolean;
  take(job: Job): Lease;
  /** Ends it; every flow must have ended before. */
  close(): Promise<void>;
}
