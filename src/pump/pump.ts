import type { ErrorCode } from '../errors.js';
import type { Channel } from '../tcp/stream.js';

/** Two connected sockets, paused, and what is to become of their bytes. */
export interface Flow {
  /**
   * `reply`: bytes go from upstream to client; what the client sends is dropped, and its FIN is
   * neither passed on nor a departure. `duplex`: bytes go both ways and so does half-close.
   */
  readonly mode: 'reply' | 'duplex';
  readonly client: Channel;
  readonly upstream: Channel;
  /** Bytes read from the client already, to be passed on first (`duplex`) or dropped (`reply`). */
  readonly fromClient: Buffer;
  /** Bytes read from upstream already, to be passed on first. */
  readonly fromUpstream: Buffer;
  /**
   * Bytes that the client is to get, those read already included, where that is known: no more are passed
   * on, and an end before is a failure. Only in `reply` mode.
   */
  readonly length?: number | undefined;
  /** How long a sender may be silent while we are willing to read, in ms. */
  readonly silenceMs: number;
  /** How long a reader may take nothing while we have bytes for it, in ms. */
  readonly stallMs: number;
  /** Aborting resets both sides. */
  readonly signal: AbortSignal;
}

/** Why a flow broke: on which side, how, and what the system said (nothing if the peer sent FIN too early). */
export interface FlowFailure {
  readonly side: 'client' | 'upstream';
  readonly code: Extract<
    ErrorCode,
    'CUT_SHORT' | 'CLIENT_GONE' | 'TIMEOUT' | 'STALLED' | 'ABORTED' | 'INTERNAL'
  >;
  readonly cause?: Error | undefined;
}

export interface FlowResult {
  /** Bytes for each side, in chunks that its kernel took whole. */
  readonly toClient: number;
  readonly toUpstream: number;
  /**
   * Undefined after a clean end: every byte and FIN are queued on the client's side and upstream is
   * closed; the client's socket is the caller's again. After a failure both sides are reset.
   */
  readonly failure: FlowFailure | undefined;
}

/** Moves the bytes of one flow until it ends. Never rejects. */
export type Pump = (flow: Flow) => Promise<FlowResult>;
