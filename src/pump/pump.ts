import type { Signal } from '../signal.js';
import type { ErrorCode } from '../errors.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import type { Limit } from '../tcp/live-limit.js';

/** Two connected streams without readers, and what is to happen to their bytes. */
export interface Flow {
  /**
   * `reply`: bytes go from upstream to client; what the client sends is dropped, and its FIN is neither passed on nor
   * an error. `duplex`: bytes go both ways and so does half-close.
   */
  readonly mode: 'reply' | 'duplex';
  readonly client: ByteStream;
  readonly upstream: ByteStream;
  /** Bytes that were read from the client before, to be passed on first (`duplex`), dropped, or kept (`keep`). */
  readonly fromClient: Buffer;
  /** Bytes that were read from upstream before, to be passed on first. */
  readonly fromUpstream: Buffer;
  /**
   * Bytes for the client, those of `fromUpstream` included, where that is known: no more are passed on, and an earlier
   * end is a failure. Only in `reply` mode.
   */
  readonly length?: number | undefined;
  /** Finds the end of a reply whose length is not known. Only in `reply` mode. @default it ends with FIN */
  readonly findEnd?: FindEnd | undefined;
  /**
   * Both streams are to be used further: no FIN is sent after the reply, and what the client sends is kept up to this many
   * bytes. Only in `reply` mode, with `length` or `findEnd`.
   */
  readonly keep?: number | undefined;
  /**
   * How long a sender may be silent while we are willing to read, in ms. In `duplex` mode both directions count
   * together: a long download is silent upstream.
   */
  readonly silenceMs: number;
  /** How long a reader may take nothing while we have bytes for it. */
  readonly stall: Limit;
  /** Aborting resets both sides. */
  readonly signal: Signal;
  /** Called each time the flow goes on outside of Node. */
  readonly onOffload?: (() => void) | undefined;
}

/**
 * Looks at the next bytes from upstream, those of `fromUpstream` left out.
 * @returns how many of them are of the reply, if it ends with them; else undefined
 * @throws Error if they cannot be of the reply
 */
export type FindEnd = (bytes: Buffer) => number | undefined;

/** Bytes for each side that its kernel has taken. */
export interface MovedBytes {
  readonly toClient: number;
  readonly toUpstream: number;
}

/** Why a flow broke: on which side, how, and what the system said (nothing if the peer sent FIN too early). */
export interface FlowFailure {
  readonly side: 'client' | 'upstream';
  readonly code: Extract<
    ErrorCode,
    'CUT_SHORT' | 'BAD_REPLY' | 'CLIENT_GONE' | 'TIMEOUT' | 'STALLED' | 'ABORTED' | 'INTERNAL'
  >;
  readonly cause?: Error | undefined;
  /** The client had sent FIN before. Only in `duplex` mode. */
  readonly clientEnded?: true;
}

export interface FlowResult extends MovedBytes {
  /**
   * Undefined after a clean end: every byte and FIN are queued on the client's side, upstream is closed, and the
   * client's stream has no reader any more. With `keep` both are open and without a reader. After a failure both sides are
   * reset.
   */
  readonly failure: FlowFailure | undefined;
  /** With `keep`: what the client has sent, `fromClient` included. */
  readonly kept?: Buffer | undefined;
  /** With `keep`: upstream has sent more than the reply. */
  readonly hasExcess?: boolean;
}

export interface RunningFlow {
  /** So far; live, wherever the bytes are moved. */
  readonly moved: MovedBytes;
  /** Never rejects. */
  readonly result: Promise<FlowResult>;
}

/** Moves the bytes of one flow until it ends. */
export type Pump = (flow: Flow) => RunningFlow;
