import { type Socket, connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { HostHop } from '../route/hop.js';
import { systemCalls } from '../system/calls.js';
import { AttachedReader, type ReadControl } from './attached-reader.js';
import type { ByteStream, Reading, StreamReader } from './byte-stream.js';
import {
  allowReading,
  descriptorOf,
  forbidReading,
  isDisconnected,
  readInto,
  unsentBytes,
} from './handle.js';
import { SHARED_BUFFER } from './read-buffer.js';
import { RecordBuffer } from './record-buffer.js';
import { clearResetOnDeath, setResetOnDeath } from './reset-on-death.js';

const NOTHING = Buffer.alloc(0);

/**
 * A socket of Node as the data path uses it: paused until a reader wants its bytes, half-open after the peer's FIN,
 * reset unless it was finished, and with an error handler from its first moment.
 */
export class TcpStream implements ByteStream {
  received = 0;
  error: Error | undefined;
  /** The peer's FIN has been read. */
  #hasEnd = false;
  readonly #socket: Socket;
  /** The TCP connection under a TLS socket, or the socket itself. */
  readonly #raw: Socket;
  #attached: AttachedReader | undefined;
  /** Bytes that arrived between two readers. */
  #unread: Buffer = NOTHING;
  /** The next read goes to the shared buffer, also if the reader has its own. */
  #isShrunk = false;
  /** Node reads into its own buffers, ahead of the reader. */
  #readsAhead = false;
  /** TLS: all records that were read together are delivered, also after a pause. */
  readonly #overruns: boolean;
  /** The reader has paused, and may hold the last chunk. */
  #isHeld = false;
  #remote: HostHop | undefined;
  #local: HostHop | undefined;
  #into: Buffer = SHARED_BUFFER;
  /** TLS: for a reader that keeps chunks. */
  #records: RecordBuffer | undefined;
  readonly #control: ReadControl;

  private constructor(socket: Socket, raw = socket) {
    this.#socket = socket;
    this.#raw = raw;
    this.#overruns = 'encrypted' in socket;
    this.#control = {
      resume: this.#resume,
      pause: () => void socket.pause(),
      shrink: () => (this.#isShrunk = true),
      // Without a pause, since another reader mostly follows at once. One more chunk at most is read until then.
      detach: () => (this.#attached = undefined),
    };
    socket.on('error', (error) => {
      this.error ??= error;
    });
    // libuv reports a reset that it finds together with the last bytes as a clean end (measured; the
    // POLLHUP short-circuit of uv__stream_io), which would make a broken file look whole. At a FIN
    // the kernel still knows the peer, unless ours went out before: such an end is believed.
    socket.once('end', () => {
      this.#flush();
      if (!socket.writableEnded && isDisconnected(socket)) {
        socket.destroy(new Error('the peer reset the connection'));
        return;
      }
      this.#hasEnd = true;
      this.#reportEnd();
    });
  }

  /**
   * Wraps a connected socket that is paused and was created with `allowHalfOpen`: one that a server with
   * `pauseOnConnect` has accepted, or a TLS socket.
   */
  static over(socket: Socket, raw = socket): TcpStream {
    const stream = new TcpStream(socket, raw);
    const isOurs = readInto(socket, { buffer: stream.#nextBuffer, callback: stream.#readInto });
    if (!isOurs) {
      stream.#readsAhead = true;
      socket.on('data', (chunk: Buffer) => {
        if (!stream.#deliver(chunk)) socket.pause();
      });
    }
    return stream;
  }

  /**
   * Starts to dial an address.
   * @param connected called when the connection is established
   */
  static dialling(address: string, port: number, connected: (stream: TcpStream) => void): TcpStream {
    // Node asks for a buffer before the stream exists.
    const created: { stream?: TcpStream } = {};
    const socket = connect({
      host: address,
      port,
      allowHalfOpen: true,
      noDelay: true,
      onread: {
        buffer: () => (created.stream === undefined ? SHARED_BUFFER : created.stream.#nextBuffer()),
        callback: (length) => created.stream === undefined || created.stream.#readInto(length),
      },
    });
    const stream = new TcpStream(socket);
    created.stream = stream;
    socket.pause();
    socket.once('connect', () => {
      setResetOnDeath(socket);
      connected(stream);
    });
    return stream;
  }

  get remote(): HostHop {
    return (this.#remote ??= remoteOf(this.#socket));
  }

  get local(): HostHop {
    const { localAddress = '', localPort = 0 } = this.#socket;
    return (this.#local ??= { host: localAddress, port: localPort });
  }

  get unsent(): number {
    return unsentBytes(this.#raw);
  }

  get ended(): boolean {
    return this.#hasEnd && this.#unread.length === 0 && this.#records?.isEmpty !== false;
  }

  get closed(): boolean {
    return this.#socket.destroyed;
  }

  attach(reader: StreamReader): Reading {
    if (this.#attached !== undefined) throw new Error('the stream has a reader already');
    this.#attached = new AttachedReader(reader, this.#control);
    return this.#attached;
  }

  onClose(listener: () => void): () => void {
    this.#socket.once('close', listener);
    return () => void this.#socket.off('close', listener);
  }

  write(chunk: Uint8Array, flushed: () => void = () => {}): boolean {
    let waiting = false;
    this.#socket.write(chunk, (error) => {
      // Node calls back without an error for what it drops when it destroys the socket.
      if (waiting && !error && !this.#socket.destroyed) flushed();
    });
    waiting = this.#socket.writableLength > 0;
    return !waiting;
  }

  finish(queued: () => void = () => {}): void {
    this.#socket.once('finish', () => {
      clearResetOnDeath(this.#socket);
      queued();
    });
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  reset(): void {
    const socket = this.#socket;
    if (this.#raw !== socket) {
      this.#raw.resetAndDestroy();
      socket.destroy();
      return;
    }
    // libuv refuses to reset (EINVAL) a socket whose FIN it is just queuing; its bytes are all sent then.
    const finishing = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
    if (socket.connecting || finishing) socket.destroy();
    else socket.resetAndDestroy();
  }

  secured(begin: Buffer, wrap: (socket: Socket) => TLSSocket): TcpStream {
    const early = Buffer.concat([begin, this.#unread]);
    this.#unread = NOTHING;
    // A socket that flows would drop what nobody listens for.
    this.#socket.pause();
    if (early.length > 0) this.#socket.unshift(early);
    return TcpStream.over(wrap(this.#socket).pause(), this.#socket);
  }

  limitReceiveBuffer(bytes: number): void {
    const calls = systemCalls();
    const fd = descriptorOf(this.#socket);
    if (fd !== undefined && !('missing' in calls)) calls.setReceiveBuffer(fd, bytes);
  }

  detachDescriptor(): number | undefined {
    const socket = this.#socket;
    const fd = descriptorOf(socket);
    const isClean = socket.readableLength === 0 && socket.writableLength === 0 && !socket.destroyed;
    if (fd === undefined || this.#overruns || !isClean || this.#unread.length > 0) return undefined;
    forbidReading(socket);
    return fd;
  }

  reattach(received: number): void {
    this.received += received;
    allowReading(this.#socket, this.#readsAhead);
  }

  readonly #resume = (attached: AttachedReader): void => {
    this.#isHeld = false;
    if (!this.#flush() || this.#attached !== attached) return;
    if (this.#unread.length > 0) {
      const chunk = this.#unread;
      this.#unread = NOTHING;
      if (!this.#take(attached, chunk) || this.#attached !== attached) return;
    }
    if (this.ended) return this.#reportEnd();
    // Not before: the last chunk may have had to wait in this buffer.
    attached.buffer?.grow(this.received);
    this.#socket.resume();
  };

  #reportEnd(): void {
    const attached = this.#attached;
    if (attached === undefined || attached.endReported || !this.ended) return;
    attached.endReported = true;
    attached.reader.end();
  }

  /** What Node reads into. It asks again after each chunk. */
  readonly #nextBuffer = (): Buffer => {
    const buffer = this.#attached?.buffer;
    let own: Buffer | undefined;
    if (buffer === undefined || this.#unread.length > 0) own = undefined;
    else if (this.#overruns) own = (this.#records ??= new RecordBuffer()).room(this.received, this.#isHeld);
    else if (!this.#isShrunk) own = buffer.current;
    return (this.#into = own ?? SHARED_BUFFER);
  };

  readonly #readInto = (length: number): boolean => {
    const into = this.#into;
    const buffer = this.#attached?.buffer;
    if (this.#records !== undefined && into !== SHARED_BUFFER) return this.#gather(this.#records, length);
    this.#isShrunk = false;
    const chunk = into.subarray(0, length);
    const isOwn = into !== SHARED_BUFFER;
    if (isOwn) buffer?.filled(into, length);
    // A reader that keeps chunks may not have had its own buffer in time.
    const more = this.#deliver(isOwn || buffer === undefined ? chunk : Buffer.from(chunk));
    if (more) buffer?.grow(this.received);
    return more;
  };

  #gather(records: RecordBuffer, length: number): boolean {
    if (records.isEmpty) setImmediate(this.#flush);
    records.filled(length);
    this.received += length;
    return records.isFull ? this.#flush() : !this.#isHeld;
  }

  /** Delivers what was gathered. False if the next chunk has to wait. */
  readonly #flush = (): boolean => {
    const records = this.#records;
    if (this.#attached === undefined || (this.#overruns && this.#isHeld)) return false;
    if (records === undefined || records.isEmpty) return true;
    const more = this.#take(this.#attached, records.take());
    if (!more) this.#socket.pause();
    return more;
  };

  #deliver(chunk: Buffer): boolean {
    this.received += chunk.length;
    const isNext = this.#flush() && !(this.#overruns && this.#unread.length > 0);
    if (this.#attached !== undefined && isNext) return this.#take(this.#attached, chunk);
    this.#unread = Buffer.concat([this.#unread, chunk]);
    return false;
  }

  #take({ reader }: AttachedReader, chunk: Buffer): boolean {
    this.#isHeld = true; // Before the call, in which the reader may resume.
    const more = reader.take(chunk);
    if (more) this.#isHeld = false;
    return more;
  }
}

/** The peer of a socket. A dual-stack listener shows an IPv4 peer as `::ffff:a.b.c.d`. */
export function remoteOf({ remoteAddress = '', remotePort = 0 }: Socket): HostHop {
  return { host: remoteAddress.replace(/^::ffff:/, ''), port: remotePort };
}
