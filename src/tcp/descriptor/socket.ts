import type { HostHop } from '../../route/hop.js';
import type { SystemCalls } from '../../system/calls.js';
import type { SocketAddress } from '../../system/socket-address.js';
import type { SocketCalls } from '../../system/socket-calls.js';
import { useCongestion } from '../congestion.js';
import { withoutMapping } from '../remote.js';
import { limitUnsent } from '../unsent-limit.js';

/** What a stream needs of a socket besides bytes, by its descriptor: addresses, options, and who is told that it has closed. */
export abstract class DescriptorSocket {
  readonly #calls: SystemCalls & SocketCalls;
  #remote: HostHop | undefined;
  #local: HostHop | undefined;
  #closeListeners: (() => void)[] = [];

  constructor(calls: SystemCalls & SocketCalls) {
    this.#calls = calls;
  }

  /** Undefined once it is closed. */
  abstract get descriptor(): number | undefined;

  get remote(): HostHop {
    return (this.#remote ??= this.#hop((fd) => this.#calls.remoteOf(fd)));
  }

  get local(): HostHop {
    return (this.#local ??= this.#hop((fd) => this.#calls.localOf(fd)));
  }

  leadTo(host: HostHop): void {
    this.#remote = host;
  }

  keepAlive(idleMs: number): void {
    const { descriptor: fd } = this;
    if (fd !== undefined) this.#calls.setKeepAlive(fd, Math.ceil(idleMs / 1000));
  }

  prepareToSend(congestion?: string): void {
    limitUnsent(this.descriptor);
    if (congestion !== undefined) useCongestion(this.descriptor, congestion);
  }

  limitReceiveBuffer(bytes: number): void {
    const { descriptor: fd } = this;
    if (fd !== undefined) this.#calls.setReceiveBuffer(fd, bytes);
  }

  /** Without TLS there is none. */
  channelBinding(): undefined {
    return undefined;
  }

  onClose(listener: () => void): () => void {
    this.#closeListeners.push(listener);
    return () => void (this.#closeListeners = this.#closeListeners.filter((other) => other !== listener));
  }

  protected readonly tellClosed = (): void => {
    for (const listener of this.#closeListeners.splice(0)) listener();
  };

  #hop(addressOf: (fd: number) => SocketAddress | undefined): HostHop {
    const { descriptor: fd } = this;
    const address = fd === undefined ? undefined : addressOf(fd);
    return address === undefined ? { host: '', port: 0 } : { ...address, host: withoutMapping(address.host) };
  }
}
