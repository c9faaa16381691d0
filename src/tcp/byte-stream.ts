import type { Socket } from 'node:net';
import type { HostHop } from '../route/hop.js';

/** Takes what a stream receives. */
export interface StreamReader {
  /**
   * Takes one chunk. False pauses the stream; the next chunk comes after {@link Reading.resume}. The chunk is valid
   * until this returns true or, after false, until then: its memory is reused.
   */
  readonly take: (chunk: Buffer) => boolean;
  /** Called once, after the last chunk, when the peer has sent FIN. */
  readonly end: () => void;
  /**
   * Chunks are kept after `take` has returned false, so this reader needs a buffer of its own, which grows with the
   * traffic. Readers without copy what they need at once. @default false
   */
  readonly keepsChunks?: boolean;
}

/** The right to read a stream. After {@link detach} all methods do nothing. */
export interface Reading {
  /** Starts or continues. */
  resume(): void;
  pause(): void;
  /** Gives up the read buffer, if the reader has one. @param isFree the last chunk is no longer needed */
  shrink(isFree: boolean): void;
  /** Lets another reader attach. What arrives before that, one chunk at most, is kept for it. */
  detach(): void;
}

/**
 * A connected, half-closable stream of bytes: a TCP connection, dialled or accepted, or something that carries bytes
 * over one. Nothing is read before a reader attaches and resumes.
 */
export interface ByteStream {
  /** The peer, or the host that {@link leadTo} has named. */
  readonly remote: HostHop;
  readonly local: HostHop;
  /** Bytes received so far. */
  readonly received: number;
  /** Bytes written that the kernel has not taken yet. */
  readonly unsent: number;
  /** The peer's FIN has been read, after all of its bytes. */
  readonly ended: boolean;
  /** Nothing can be read or written any more. */
  readonly closed: boolean;
  /** Why the stream broke, if it did. */
  readonly error: Error | undefined;

  /** @throws Error if there is a reader already */
  attach(reader: StreamReader): Reading;
  /** Returns a function that removes the listener. Never called for a stream that is closed already. */
  onClose(listener: () => void): () => void;
  /**
   * Writes a chunk. True if the kernel took all of it, so that its memory is free at once; otherwise `flushed` is
   * called when it has, or never if the stream closes.
   */
  write(chunk: Uint8Array, flushed?: () => void): boolean;
  /**
   * Sends FIN after all that was written; `queued` is called when the kernel has both.
   * @param last sent before it, together with it where that is possible
   * @returns whether the kernel has both already
   */
  finish(queued?: () => void, last?: Uint8Array): boolean;
  /** Nothing more is wanted of the peer: sends FIN after all that was written, and closes both directions. */
  leave(): void;
  /** Closes both directions, after {@link finish}. */
  close(): void;
  /** Closes both directions with RST, at once. */
  reset(): void;

  /**
   * From here on the kernel resets it if this process dies, until {@link finish}: what was sent must not look whole then.
   * Accepted connections are so from the start, dialled ones 0.1 s later.
   */
  resetOnDeath(): void;

  /** The peer is a proxy, and has connected to this host. */
  leadTo(host: HostHop): void;

  /**
   * The socket of a connection without a reader, paused, for TLS to be put on it. This stream must not be read or
   * written any more, but it still closes, resets and tells of both.
   * @param begin what was read before
   */
  releaseSocket(begin: Buffer): Socket;

  /** Has the kernel probe the peer after so many ms of silence, so that NAT on the way does not forget the connection. */
  keepAlive(idleMs: number): void;
  /**
   * What only the two ends of a TLS connection know of it: `tls-exporter` (RFC 9266), 32 bytes. Undefined without TLS, and
   * for a closed stream.
   */
  channelBinding(): Buffer | undefined;
  /**
   * Limits what the kernel queues for a peer that reads nothing, and sets the congestion control, as for accepted connections.
   * @param congestion as the kernel knows it. @default the system's
   * @throws ViaductError USAGE
   */
  prepareToSend(congestion?: string): void;
  /** Limits what the kernel buffers for a slow reader, in bytes. Does nothing where the system has no call for it. */
  limitReceiveBuffer(bytes: number): void;
  /**
   * Stops reading and returns the descriptor, so that bytes can be moved without Node; the stream must not be used
   * until {@link reattach}. Undefined if that is not possible: Node holds bytes, or there is no plain socket.
   * @param recall called once if the stream is to be closed or reset meanwhile. That is done at {@link reattach}: until
   * then the descriptor stays open, since the system would give its number to another connection.
   */
  detachDescriptor(recall: () => void): number | undefined;
  /** Takes the descriptor back. @param received bytes that were received in the meantime */
  reattach(received: number): void;
}
