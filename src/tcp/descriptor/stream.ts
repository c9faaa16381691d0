import { type Socket, isIPv4 } from 'node:net';
import type { HostHop } from '../../route/hop.js';
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP } from '../../system/calls.js';
import { SystemCallError } from '../../system/library.js';
import type { ByteStream, Reading, StreamReader } from '../byte-stream.js';
import { socketOver } from '../handle.js';
import { Loan } from '../loan.js';
import { isLoopback } from '../remote.js';
import { ResetOnDeath } from '../reset-on-death.js';
import { TcpStream } from '../stream.js';
import type { Endpoint } from './endpoint.js';
import type { Polled } from './poller.js';
import { Receiving } from './receiving.js';
import { Sending } from './sending.js';
import { DescriptorSocket } from './socket.js';
import type { Sockets } from './sockets.js';

const BROKEN = EPOLLERR | EPOLLHUP;
/** There may be more behind the next bytes: an end, a break, or more bytes behind urgent ones. */
const MORE = BROKEN | EPOLLRDHUP | EPOLLPRI;

const NOTHING = (): void => {};

/** A TCP connection without a socket of Node: its descriptor, and the system calls that a stream needs (docs/performance.md, "small"). */
export class DescriptorStream extends DescriptorSocket implements ByteStream, Endpoint, Polled {
  error: Error | undefined;
  readonly #sockets: Sockets;
  /** -1 once it is closed, or goes on as {@link #released}. */
  #fd: number;
  /** In the poller; undefined while it is not there. */
  #number: number | undefined;
  /** The socket of Node that it has become. */
  #released: TcpStream | undefined;
  readonly #receiving: Receiving;
  readonly #sending: Sending;
  readonly #death: ResetOnDeath;
  readonly #loan = new Loan();
  /** To be called when the connection is there. */
  #connected: (() => void) | undefined;
  /** FIN was received. */
  #hasEnded = false;
  /** FIN was sent. */
  #hasFinished = false;
  #isOver = false;

  private constructor(sockets: Sockets, fd: number, isSet: boolean) {
    super(sockets.calls);
    this.#sockets = sockets;
    this.#fd = fd;
    this.#death = new ResetOnDeath(this, isSet);
    this.#receiving = new Receiving(sockets.calls, sockets.poller, this);
    this.#sending = new Sending(sockets.calls, this);
  }

  /** Over a connection from a listener that is armed (`reset-on-death.ts`). */
  static accepted(sockets: Sockets, fd: number, remote: HostHop): DescriptorStream {
    const stream = new DescriptorStream(sockets, fd, true);
    stream.leadTo(remote);
    stream.#enterPoller();
    stream.#receiving.expect();
    return stream;
  }

  /**
   * Starts to dial an address.
   * @param address of IPv6 without a zone
   * @param connected called when the connection is established
   */
  static dialling(
    sockets: Sockets,
    address: string,
    port: number,
    connected: (stream: DescriptorStream) => void,
  ): DescriptorStream {
    const fd = sockets.calls.dial({ host: address, port });
    const stream = new DescriptorStream(sockets, fd, false);
    stream.#connected = () => connected(stream);
    if (isIPv4(address)) stream.leadTo({ host: address, port });
    if (fd < 0) stream.broken('connect', fd);
    else stream.#enterPoller();
    if (isLoopback(address)) process.nextTick(() => stream.#connectsAtOnce());
    return stream;
  }

  get descriptor(): number | undefined {
    return this.#released?.descriptor ?? (this.#fd < 0 ? undefined : this.#fd);
  }

  get unsent(): number {
    return this.#released?.unsent ?? this.#sending.size;
  }

  get received(): number {
    return this.#receiving.reader.received;
  }

  get ended(): boolean {
    return this.#receiving.reader.ended;
  }

  get closed(): boolean {
    return this.#released?.closed ?? (this.#fd < 0 || this.#loan.isClosing);
  }

  attach(reader: StreamReader): Reading {
    return this.#receiving.reader.attach(reader);
  }

  write(chunk: Uint8Array, flushed: () => void = NOTHING): boolean {
    return !this.closed && this.#sending.write(chunk, flushed);
  }

  finish(queued: () => void = NOTHING, last?: Uint8Array): boolean {
    if (last !== undefined && !this.closed) this.#sending.write(last, NOTHING, true);
    if (!this.closed) this.#sending.finish(queued);
    return this.#hasFinished;
  }

  leave(): void {
    // The kernel sends FIN itself then: one call less.
    if (this.#death.isSet || !this.#sending.isEmpty) this.finish(() => this.close());
    else this.close();
  }

  /* What the poller, and those who send and receive, tell. */

  get fd(): number | undefined {
    return this.#number === undefined || this.#connected !== undefined ? undefined : this.#fd;
  }

  notice(events: number): void {
    if (this.#connected !== undefined) this.#connects(this.#connected, events);
    if (this.fd !== undefined && (events & (EPOLLOUT | BROKEN)) !== 0) this.#sending.flush();
    if (this.fd !== undefined && (events & (EPOLLIN | MORE)) !== 0)
      this.#receiving.notice((events & MORE) !== 0);
  }

  /** On this host a connection is mostly there as soon as it is asked for: a turn of the loop less. */
  #connectsAtOnce(): void {
    if (this.#sockets.calls.isConnected(this.#fd)) this.notice(EPOLLOUT);
  }

  #connects(connected: () => void, events: number): void {
    const error = (events & BROKEN) === 0 ? 0 : this.#sockets.calls.pendingError(this.#fd);
    if (error < 0) return this.broken('connect', error);
    if ((events & (EPOLLOUT | BROKEN)) === 0) return;
    this.#connected = undefined;
    this.#death.setSoon();
    connected();
  }

  finReceived(): void {
    this.#hasEnded = true;
    this.#receiving.reader.end();
    this.#closeIfOver();
  }

  finSent(): void {
    this.#hasFinished = true;
    this.#death.clear();
    this.#closeIfOver();
  }

  broken(call: string, errno: number): void {
    this.error ??= new SystemCallError(call, errno);
    this.#destroy();
  }

  /** As a socket of Node does. */
  #closeIfOver(): void {
    if (this.#hasEnded && this.#hasFinished) process.nextTick(() => this.close());
  }

  close(): void {
    if (this.#released !== undefined) this.#released.close();
    else if (!this.#loan.postpones(() => this.close())) this.#destroy();
  }

  reset(): void {
    if (this.#released !== undefined) return this.#released.reset();
    if (this.#loan.postpones(() => this.reset())) return;
    if (this.#fd >= 0 && this.#connected === undefined) this.#death.set();
    this.#destroy();
  }

  #destroy(): void {
    if (this.#isOver) return;
    const fd = this.#fd;
    this.#isOver = true;
    this.#death.forget();
    this.#leavePoller();
    this.#sending.drop();
    this.#fd = -1;
    if (fd >= 0) this.#sockets.calls.close(fd);
    process.nextTick(this.tellClosed);
  }

  /* What else uses its descriptor. */

  #enterPoller(): void {
    try {
      this.#number = this.#sockets.poller.add(this.#fd, this);
    } catch (error) {
      // The user's watches are used up (epoll(7)).
      this.error ??= error instanceof Error ? error : new Error(String(error));
      this.#destroy();
    }
  }

  /** @param fd if it stays open */
  #leavePoller(fd?: number): void {
    this.#receiving.pause();
    if (this.#number !== undefined) this.#sockets.poller.delete(this.#number, fd);
    this.#number = undefined;
  }

  detachDescriptor(recall: () => void): number | undefined {
    const { fd } = this;
    if (fd === undefined || !this.#sending.isEmpty || this.#receiving.reader.holdsBytes) return undefined;
    this.#leavePoller(fd);
    this.#loan.lend(recall);
    return fd;
  }

  reattach(received: number): void {
    this.#receiving.reader.received += received;
    if (!this.#loan.end() && this.#fd >= 0 && this.#number === undefined) this.#enterPoller();
  }

  resetOnDeath(): void {
    if (this.#released === undefined) this.#death.set();
    else this.#released.resetOnDeath();
  }

  releaseSocket(begin: Buffer): Socket {
    const early = Buffer.concat([begin, this.#receiving.reader.takeUnread()]);
    const { descriptor: fd } = this;
    this.#leavePoller(fd);
    this.#death.forget();
    this.#fd = -1;
    const released = TcpStream.over(socketOver(fd), undefined, this.#death.isSet);
    this.#released = released;
    for (const { bytes, flushed } of this.#sending.take()) released.write(bytes, flushed);
    released.onClose(() => {
      this.error ??= released.error;
      this.tellClosed();
    });
    return released.releaseSocket(early);
  }
}
