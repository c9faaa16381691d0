import { type Socket, connect } from 'node:net';
import { OFFLOAD_BYTES } from '../defaults.js';
import { allowReading, descriptorOf, forbidReading, isDisconnected, unsentBytes } from './handle.js';
import { clearResetOnDeath, setResetOnDeath } from './reset-on-death.js';

/**
 * The reused read buffer of a connection. It starts small, so that idle connections cost little, and grows when it
 * is filled: to the middle size, and after `OFFLOAD_BYTES` to the size at which throughput stops growing
 * (measured). A large flow that can be spliced never gets so far, and holds little if its reader stalls before.
 */
export const BUFFER_MIN = 2 * 1024;
const BUFFER_MID = 32 * 1024;
export const BUFFER_MAX = 256 * 1024;

/** The read buffer of a connection that is lent to a splice worker, for when it comes back. */
const BUFFER_LENT = 1024;

/** Read buffers that wait for the next connection with much traffic. */
const SPARE_BUFFERS = 4;

/**
 * Takes one chunk; false means "no more for now", and the next one comes after {@link Channel.resume}.
 * The chunk is valid until then, or, after true, until the consumer returns: its memory is reused.
 */
export type Consumer = (chunk: Buffer) => boolean;

/**
 * A TCP socket as the data path sees it: paused until somebody wants its bytes, half-open when the
 * peer sends FIN, reset unless it is finished, and with an error handler from its first moment.
 */
export class Channel {
  readonly socket: Socket;
  /** Bytes that came in. */
  received = 0;
  /** Why the socket died, once it did. */
  error: Error | undefined;
  /** Gets every chunk. None comes before the first {@link resume}. */
  consumer: Consumer = () => true;
  /** Told of the peer's FIN, after its last byte. Socket's own `end` is not to be trusted (below). */
  onEnd: () => void = () => {};
  /** Takes a larger read buffer if the last chunk filled the one that there is. */
  #grow: () => void = () => {};
  /** Gives a large read buffer up, whose bytes have been read. */
  #shrink: (isFree: boolean) => void = () => {};
  /** Node's own read buffers, not ours: it reads ahead until one is full. */
  readonly #readsAhead: boolean;

  private constructor(socket: Socket, readsAhead: boolean) {
    this.socket = socket;
    this.#readsAhead = readsAhead;
    socket.on('error', (error) => {
      this.error ??= error;
    });
    // libuv reports a reset that it finds together with the last bytes as a clean end (measured; the
    // POLLHUP short-circuit of uv__stream_io), which would make a broken file look whole. At a FIN
    // the kernel still knows the peer, unless ours went out before: such an end is believed.
    socket.once('end', () => {
      if (socket.writableEnded || !isDisconnected(socket)) this.onEnd();
      else socket.destroy(new Error('the peer reset the connection'));
    });
  }

  /** Wraps a socket that a server with `pauseOnConnect` and `allowHalfOpen` has accepted. */
  static accepted(socket: Socket): Channel {
    const channel = new Channel(socket, true);
    socket.on('data', (chunk: Buffer) => {
      if (!channel.#deliver(chunk)) socket.pause();
    });
    return channel;
  }

  /**
   * Starts to dial an address; the socket's `connect` event says that it is there. It reads into one
   * buffer that is reused and grows with the traffic (Node: `onread`), which is worth about half of
   * the throughput of ordinary `data` events.
   */
  static dialling(address: string, port: number): Channel {
    let next: Buffer = Buffer.allocUnsafeSlow(BUFFER_MIN);
    /** What Node reads into; it takes the next one after each chunk. */
    let buffer = next;
    let delivering = false;
    let full: Buffer | undefined;
    const socket = connect({
      host: address,
      port,
      allowHalfOpen: true,
      noDelay: true,
      onread: {
        buffer: () => (buffer = next),
        callback: (length) => {
          delivering = true;
          full = length === buffer.length ? buffer : undefined;
          const more = channel.#deliver(buffer.subarray(0, length));
          if (more) channel.#grow();
          delivering = false;
          return more;
        },
      },
    });
    const channel = new Channel(socket, false);
    channel.#grow = () => {
      // Else Node has not had the larger one yet.
      if (full === next) next = channel.#largerThan(next);
      full = undefined;
    };
    channel.#shrink = (isFree) => {
      // Node asks for the next buffer after each chunk, and only then lets go of this one.
      if (!delivering) return;
      if (isFree) giveLargeBuffer(buffer);
      if (next !== buffer) giveLargeBuffer(next);
      full = undefined;
      next = Buffer.allocUnsafeSlow(BUFFER_LENT);
    };
    socket.pause();
    socket.once('connect', () => setResetOnDeath(socket));
    return channel;
  }

  /** A filled buffer is traffic that could use a larger one. */
  #largerThan(buffer: Buffer): Buffer {
    if (buffer.length < BUFFER_MID) return Buffer.allocUnsafeSlow(BUFFER_MID);
    return buffer.length < BUFFER_MAX && this.received >= OFFLOAD_BYTES ? takeLargeBuffer() : buffer;
  }

  #deliver(chunk: Buffer): boolean {
    this.received += chunk.length;
    return this.consumer(chunk);
  }

  /** Bytes written that the kernel has not taken yet. */
  get unsent(): number {
    return unsentBytes(this.socket);
  }

  /** Lets bytes come. Not to be followed by {@link pause} in the same tick: Node would read all the same. */
  resume(): void {
    // Not before, for a chunk that had to wait: a reader that stalls keeps the small buffer.
    this.#grow();
    this.socket.resume();
  }

  pause(): void {
    this.socket.pause();
  }

  /**
   * Told by the consumer of a chunk that the channel will be lent: its read buffer can go.
   * @param isFree nobody needs the chunk any more
   */
  prepareToLend(isFree: boolean): void {
    this.#shrink(isFree);
  }

  /**
   * Stops Node from reading and gives the descriptor to somebody who moves bytes without it; until
   * {@link reclaim} the channel must not be used. Undefined if that cannot be: Node has bytes that nobody has
   * read, or that the kernel has not taken.
   */
  lend(): number | undefined {
    const { socket } = this;
    const fd = descriptorOf(socket);
    const clean = socket.readableLength === 0 && socket.writableLength === 0 && !socket.destroyed;
    if (fd === undefined || !clean) return undefined;
    forbidReading(socket);
    return fd;
  }

  /** Takes a lent channel back. It is read again after the next {@link resume}. */
  reclaim(): void {
    allowReading(this.socket, this.#readsAhead);
  }

  /**
   * Writes a chunk. True if the kernel took it whole, so that its memory is free at once; else
   * `flushed` is called when it has, or never if the socket dies.
   */
  write(chunk: Uint8Array, flushed: () => void): boolean {
    let waiting = false;
    this.socket.write(chunk, (error) => {
      // Node calls back without an error for what it drops when it destroys the socket.
      if (waiting && !error && !this.socket.destroyed) flushed();
    });
    waiting = this.socket.writableLength > 0;
    return !waiting;
  }

  /** Queues FIN after all that was written; `queued` is called when the kernel has both. */
  finish(queued: () => void): void {
    this.socket.once('finish', () => {
      clearResetOnDeath(this.socket);
      queued();
    });
    this.socket.end();
  }

  /** Ends the connection with RST, at once and for both sides. */
  reset(): void {
    const { socket } = this;
    // libuv refuses to reset (EINVAL) a socket whose FIN it is just queuing; its bytes are all sent then.
    const finishing = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
    if (socket.connecting || finishing) socket.destroy();
    else socket.resetAndDestroy();
  }
}

/** Large read buffers that nobody uses. */
const spareBuffers: Buffer[] = [];

function takeLargeBuffer(): Buffer {
  return spareBuffers.pop() ?? Buffer.allocUnsafeSlow(BUFFER_MAX);
}

function giveLargeBuffer(buffer: Buffer): void {
  if (buffer.length === BUFFER_MAX && spareBuffers.length < SPARE_BUFFERS) spareBuffers.push(buffer);
}
