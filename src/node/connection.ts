import type { Socket } from 'node:net';
import { ViaductError, asViaductError } from '../errors.js';
import type { Channel } from '../net/channel.js';
import { dial } from '../net/dial.js';
import { lingeringClose } from '../net/linger.js';
import type { Pump } from '../net/pump.js';
import type { Resolver } from '../net/resolver.js';
import { type Hop, formatHop, limitHops } from '../route.js';
import { decodeMessage, encodeMessage } from '../wire/classic.js';
import type { AddressClass } from './address.js';
import type { NodeEvent } from './events.js';
import { readMessage } from './message-reader.js';
import { sendFile } from './origin.js';
import type { Policy } from './policy.js';
import { relay } from './relay.js';
import type { Root } from './root.js';
import type { SelfDials } from './self-dials.js';

/** What all connections of a node share. */
export interface NodeContext {
  readonly root: Root;
  readonly policy: Policy;
  readonly resolver: Resolver;
  readonly selfDials: SelfDials;
  readonly pump: Pump;
  readonly maxHops: number;
  readonly silenceMs: number;
  readonly connectMs: number;
  readonly stallMs: number;
  readonly emit: (event: NodeEvent) => void;
}

/** One accepted connection, from its first byte to its last. */
export class Connection {
  /** Its message is whole, so that a shutdown lets it finish. */
  transferring = false;
  readonly #node: NodeContext;
  readonly #channel: Channel;
  readonly #number: number;
  readonly #peer: Hop;
  readonly #abort = new AbortController();
  readonly #startedAt = performance.now();
  #bytes = 0;

  constructor(node: NodeContext, channel: Channel, number: number) {
    this.#node = node;
    this.#channel = channel;
    this.#number = number;
    this.#peer = peerOf(channel.socket);
    channel.socket.once('close', () => {
      this.#abort.abort(new ViaductError('CLIENT_GONE', 'the client left', { cause: channel.error }));
    });
  }

  /** Ends it with a reset; `reason` is what its log line says. */
  abort(reason: ViaductError): void {
    this.#abort.abort(reason);
  }

  /** Serves it. Never rejects; on return its sockets are closed. */
  async serve(): Promise<void> {
    const { emit } = this.#node;
    const connection = this.#number;
    emit({ type: 'accepted', connection, peer: formatHop(this.#peer) });
    try {
      await this.#reply();
    } catch (error) {
      this.#channel.reset();
      return emit({ type: 'failed', connection, error: asViaductError(error), ...this.#figures() });
    }
    emit({ type: 'completed', connection, ...this.#figures() });
    await lingeringClose(this.#channel, this.#abort.signal);
  }

  /** Reads the request and answers it as origin or relay, up to and including FIN. */
  async #reply(): Promise<void> {
    const node = this.#node;
    const { signal } = this.#abort;
    const { message, rest } = await readMessage(this.#channel, node.silenceMs, signal);
    const { name, route } = decodeMessage(message);
    limitHops(route, node.maxHops - 1); // This node is one hop itself.
    this.transferring = true;
    this.#dropInput();
    const [nextHop, ...left] = route;
    if (nextHop === undefined) return this.#serveFile(name);
    node.emit({ type: 'relaying', connection: this.#number, name, nextHop });
    await relay({
      client: this.#channel,
      rest,
      nextHop,
      head: encodeMessage({ name, route: left }),
      dial: (hop, label) => this.#dial(hop, label),
      pump: node.pump,
      silenceMs: node.silenceMs,
      stallMs: node.stallMs,
      signal,
      onSent: this.#sent,
    });
  }

  async #serveFile(name: string): Promise<void> {
    const { emit, root, stallMs } = this.#node;
    emit({ type: 'serving', connection: this.#number, name });
    const file = await root.open(name);
    await sendFile(file, this.#channel, { stallMs, signal: this.#abort.signal, onSent: this.#sent });
  }

  async #dial(hop: Hop, label: string): Promise<Channel> {
    const { policy, resolver, selfDials, connectMs, emit } = this.#node;
    const client: AddressClass = selfDials.classOf(this.#peer) ?? policy.classOf(this.#peer.host);
    const startedAt = performance.now();
    const channel = await dial(hop, {
      label,
      timeoutMs: connectMs,
      signal: this.#abort.signal,
      resolver,
      client: this.#peer.host,
      permit: (target, addresses) => policy.check(client, target, addresses),
    });
    selfDials.add(channel.socket, client);
    const address = formatHop({ host: channel.socket.remoteAddress ?? '', port: hop.port });
    emit({ type: 'dialled', connection: this.#number, address, seconds: secondsSince(startedAt) });
    return channel;
  }

  /** What the client sends after its request is dropped, and read so that its departure is seen. */
  #dropInput(): void {
    this.#channel.consumer = () => true;
    this.#channel.resume();
  }

  readonly #sent = (bytes: number): void => {
    this.#bytes = bytes;
  };

  #figures(): { bytes: number; seconds: number } {
    return { bytes: this.#bytes, seconds: secondsSince(this.#startedAt) };
  }
}

/** Who is at the other end. A dual-stack listener shows an IPv4 peer as `::ffff:a.b.c.d`. */
export function peerOf({ remoteAddress, remotePort }: Socket): Hop {
  return { host: (remoteAddress ?? '').replace(/^::ffff:/, ''), port: remotePort ?? 0 };
}

/** Rounded to milliseconds. */
function secondsSince(startedAt: number): number {
  return Math.round(performance.now() - startedAt) / 1000;
}
