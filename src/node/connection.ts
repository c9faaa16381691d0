import type { Socket } from 'node:net';
import { ViaductError, asViaductError } from '../errors.js';
import type { Channel } from '../tcp/stream.js';
import { dial } from '../tcp/dial.js';
import { lingeringClose } from '../tcp/linger.js';
import { Outlet } from '../tcp/writer.js';
import { type Hop, formatHop } from '../route/hop.js';
import { type AddressClass, networkOf, outermost } from './access/address.js';
import { serveClassic } from './classic.js';
import type { NodeContext } from './context.js';
import { readFirst } from './first-bytes.js';
import { serveHttp } from './http/serve.js';
import { Transfer, secondsSince } from './request-log.js';

/** One accepted connection, from its first byte to its last. */
export class Connection {
  readonly node: NodeContext;
  readonly channel: Channel;
  readonly outlet: Outlet;
  /** Who is at the other end. */
  readonly peer: Hop;
  /** The request that is served now. */
  transfer: Transfer;
  /** A request is whole, so that a shutdown lets its reply finish. */
  transferring = false;
  /** Bytes of interim replies; a reply has not begun with them (RFC 9110 §15.2). */
  interimBytes = 0;
  readonly acceptedAt = performance.now();
  /** All is done but for the client's end: that it leaves ends nothing any more. */
  #lingers = false;
  readonly #abort = new AbortController();
  readonly #keeping = new AbortController();

  constructor(node: NodeContext, channel: Channel) {
    this.node = node;
    this.channel = channel;
    this.peer = peerOf(channel.socket);
    channel.socket.once('close', () => {
      if (this.#lingers) return;
      this.abort(new ViaductError('CLIENT_GONE', 'the client left', { cause: channel.error }));
    });
    this.outlet = new Outlet(channel, node.stallMs, this.signal);
    this.transfer = this.nextTransfer();
  }

  /** Aborted when the client leaves, and when the node ends. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Aborted as well when no further request is wanted: while one is waited for, nothing else is. */
  get keeping(): AbortSignal {
    return this.#keeping.signal;
  }

  /** Ends it with a reset; `reason` is what its log line says. */
  abort(reason: ViaductError): void {
    this.#abort.abort(reason);
    this.#keeping.abort(reason);
  }

  /**
   * The node is being stopped: a request that is whole is answered, one that is not is reset. Replies of
   * before may still be on their way in the kernel, so a kept connection is closed, not reset.
   */
  stop(reason: ViaductError): void {
    if (this.transfer.ended) this.#keeping.abort(reason);
    else if (!this.transferring) this.abort(reason);
  }

  /** A further request on the same connection. */
  nextTransfer(): Transfer {
    this.transfer = new Transfer(formatHop(this.peer), this.node.totals, this.node.emit);
    return this.transfer;
  }

  /** Serves it. Never rejects; on return its sockets are closed. */
  async serve(): Promise<void> {
    try {
      const first = await readFirst(this.channel, this.node.silenceMs, this.signal);
      if (first.dialect === 'classic') await serveClassic(this, first);
      else await serveHttp(this, first.bytes);
      this.#lingers = true;
      this.outlet.release();
      await lingeringClose(this.channel, this.signal);
    } catch (error) {
      this.channel.reset();
      // A kept connection may break between two requests, when there is nothing to tell.
      if (!this.transfer.ended) this.transfer.failed(asViaductError(error));
    } finally {
      this.outlet.release();
    }
  }

  /** The class of the client, no further inside than it claims to be (HTTP only). */
  clientClass(claim?: AddressClass): AddressClass {
    const { selfDials, policy } = this.node;
    const observed = selfDials.classOf(this.peer) ?? policy.classOf(this.peer.host);
    return claim === undefined ? observed : outermost(claim, observed);
  }

  /**
   * Dials a next hop for this client, if the policy allows it.
   * @throws as {@link dial}
   */
  async dial(hop: Hop, label: string, client: AddressClass, timeoutMs: number): Promise<Channel> {
    const { policy, resolver, selfDials } = this.node;
    const startedAt = performance.now();
    const channel = await dial(hop, {
      label,
      timeoutMs,
      signal: this.signal,
      resolver,
      client: networkOf(this.peer.host),
      permit: (target, addresses) => policy.check(client, target, addresses, label),
    });
    selfDials.add(channel.socket, client);
    const address = formatHop({ host: channel.socket.remoteAddress ?? '', port: hop.port });
    this.transfer.dialled(address, secondsSince(startedAt));
    return channel;
  }
}

/** Who is at the other end. A dual-stack listener shows an IPv4 peer as `::ffff:a.b.c.d`. */
export function peerOf({ remoteAddress, remotePort }: Socket): Hop {
  return { host: (remoteAddress ?? '').replace(/^::ffff:/, ''), port: remotePort ?? 0 };
}
