import { type Socket, connect, isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { HostHop } from '../route/hop.js';
import { systemCalls } from '../system/calls.js';
import type { ByteStream, Reading, StreamReader } from './byte-stream.js';
import {
  type ReadTarget,
  allowReading,
  descriptorOf,
  forbidReading,
  isDisconnected,
  unsentBytes,
} from './handle.js';
import { Loan } from './loan.js';
import { remoteOf, withoutMapping } from './remote.js';
import { SHARED_BUFFER } from './read-buffer.js';
import { ResetOnDeath } from './reset-on-death.js';
import { useCongestion } from './congestion.js';
import { limitUnsent } from './unsent-limit.js';
import { SocketReader } from './socket-reader.js';

/** Node asks for a buffer before the stream exists. */
interface Created {
  stream?: TcpStream;
}

/**
 * A socket of Node as the data path uses it: paused until a reader wants its bytes, half-open after the peer's FIN,
 * reset unless it was finished, and with an error handler from its first moment.
 */
export class TcpStream implements ByteStream {
  error: Error | undefined;
  readonly #socket: Socket;
  /** Of a TLS socket: the connection that carries it. */
  readonly #carrier: ByteStream | undefined;
  readonly #incoming: SocketReader;
  #isReset = false;
  readonly #loan = new Loan();
  readonly #death: ResetOnDeath;
  #remote: HostHop | undefined;
  #local: HostHop | undefined;

  private constructor(socket: Socket, isSet: boolean, carrier?: ByteStream) {
    this.#socket = socket;
    this.#death = new ResetOnDeath(this, isSet);
    this.#carrier = carrier;
    this.#incoming = new SocketReader(socket);
    socket.on('error', (error) => {
      this.error ??= error;
    });
    // libuv reports a reset that it finds together with the last bytes as a clean end (measured; the
    // POLLHUP short-circuit of uv__stream_io), which would make a broken file look whole. At a FIN
    // the kernel still knows the peer, unless ours went out before: such an end is believed. TLS has a sign of its own
    // for the end, but Node does not tell whether it came: what is carried has to show that it is whole. And if a write of
    // TLS itself has failed (a ticket), Node waits for it for good: no later write is called back (EncOut of tls_wrap.cc).
    socket.once('end', () => {
      if (socket.writableEnded || !isDisconnected(socket)) return this.#incoming.end();
      const broken = (): void => void socket.destroy(new Error('the peer reset the connection'));
      // Not out of OpenSSL's callback, as in reset().
      if (carrier === undefined) broken();
      else setImmediate(broken);
    });
  }

  /**
   * Wraps a connected socket that is paused and was created with `allowHalfOpen`: one that a server with
   * `pauseOnConnect` has accepted, or a TLS socket.
   * @param carrier the connection under a TLS socket
   * @param isSet closing it sends RST, as its listener was armed
   */
  static over(socket: Socket, carrier?: ByteStream, isSet = true): TcpStream {
    const stream = new TcpStream(socket, isSet, carrier);
    stream.#incoming.start(socket);
    return stream;
  }

  /**
   * Starts to dial an address.
   * @param connected called when the connection is established
   */
  static dialling(address: string, port: number, connected: (stream: TcpStream) => void): TcpStream {
    const created: Created = {};
    const onread = TcpStream.#targetOf(created);
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true, onread });
    const stream = new TcpStream(socket, false);
    created.stream = stream;
    if (isIP(address) === 4) stream.#remote = { host: address, port };
    socket.pause();
    socket.once('connect', () => {
      stream.#death.setSoon();
      connected(stream);
    });
    return stream;
  }

  /** A function of its own: the socket keeps what surrounds these closures, which would be all that the dial needed. */
  static #targetOf(created: Created): ReadTarget {
    return {
      buffer: () => (created.stream === undefined ? SHARED_BUFFER : created.stream.#incoming.nextBuffer()),
      callback: (length) => created.stream === undefined || created.stream.#incoming.take(length),
    };
  }

  get descriptor(): number | undefined {
    return descriptorOf(this.#socket);
  }

  get remote(): HostHop {
    return (this.#remote ??= this.#carrier?.remote ?? remoteOf(this.#socket));
  }

  resetOnDeath(): void {
    if (this.#carrier === undefined) this.#death.set();
    else this.#carrier.resetOnDeath();
  }

  leadTo(host: HostHop): void {
    this.#remote = host;
  }

  get local(): HostHop {
    const { localAddress = '', localPort = 0 } = this.#socket;
    return (this.#local ??= this.#carrier?.local ?? { host: withoutMapping(localAddress), port: localPort });
  }

  get unsent(): number {
    return this.#carrier?.unsent ?? unsentBytes(this.#socket);
  }

  get received(): number {
    return this.#incoming.received;
  }

  get ended(): boolean {
    return this.#incoming.ended;
  }

  get closed(): boolean {
    return this.#socket.destroyed || this.#isReset || this.#loan.isClosing;
  }

  attach(reader: StreamReader): Reading {
    return this.#incoming.attach(reader);
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

  finish(queued: () => void = () => {}, last?: Uint8Array): boolean {
    if (last !== undefined) this.#socket.write(last);
    this.#socket.once('finish', () => {
      this.#death.clear();
      queued();
    });
    this.#socket.end();
    return false;
  }

  leave(): void {
    // The kernel sends FIN itself then: one call less.
    if (this.#death.isSet || this.#carrier !== undefined || this.#socket.writableLength > 0)
      this.finish(() => this.close());
    else this.close();
  }

  close(): void {
    if (this.#loan.postpones(() => this.close())) return;
    this.#death.forget();
    this.#socket.destroy();
  }

  reset(): void {
    if (this.#loan.postpones(() => this.reset())) return;
    const socket = this.#socket;
    // libuv refuses to reset (EINVAL) a socket whose FIN it is just queuing; its bytes are all sent then. Under TLS, which
    // queues the FIN itself, the handle would even stay open.
    const finishing = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
    if (this.#carrier !== undefined) {
      this.#isReset = true;
      if (finishing) this.#carrier.close();
      else this.#carrier.reset();
      // TLS mostly follows its connection by then. At once Node would free what OpenSSL is still running in, and crash
      // (measured with Node 20 and 26, when the reset comes out of the handshake).
      setImmediate(() => socket.destroy());
      return;
    }
    if (socket.connecting || finishing) socket.destroy();
    else socket.resetAndDestroy();
  }

  releaseSocket(begin: Buffer): Socket {
    const early = Buffer.concat([begin, this.#incoming.takeUnread()]);
    // A socket that flows would drop what nobody listens for.
    this.#socket.pause();
    if (early.length > 0) this.#socket.unshift(early);
    return this.#socket;
  }

  keepAlive(idleMs: number): void {
    if (this.#carrier === undefined) this.#socket.setKeepAlive(true, idleMs);
    else this.#carrier.keepAlive(idleMs);
  }

  channelBinding(): Buffer | undefined {
    const socket = this.#socket;
    return socket instanceof TLSSocket && !socket.destroyed
      ? socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
      : undefined;
  }

  prepareToSend(congestion?: string): void {
    if (this.#carrier !== undefined) return this.#carrier.prepareToSend(congestion);
    limitUnsent(this.descriptor);
    if (congestion !== undefined) useCongestion(this.descriptor, congestion);
  }

  limitReceiveBuffer(bytes: number): void {
    this.#carrier?.limitReceiveBuffer(bytes);
    const calls = systemCalls();
    const fd = this.descriptor;
    if (fd !== undefined && !('missing' in calls)) calls.setReceiveBuffer(fd, bytes);
  }

  detachDescriptor(recall: () => void): number | undefined {
    const [socket, fd] = [this.#socket, this.descriptor];
    const isClean = socket.readableLength + socket.writableLength === 0 && !socket.destroyed;
    if (fd === undefined || !isClean || this.#incoming.holdsBytes) return undefined;
    forbidReading(socket);
    this.#loan.lend(recall);
    return fd;
  }

  reattach(received: number): void {
    this.#incoming.received += received;
    if (!this.#loan.end()) allowReading(this.#socket, this.#incoming.readsAhead);
  }
}
