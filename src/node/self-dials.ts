import type { Socket } from 'node:net';
import { SELF_DIAL_MS } from '../limits.js';
import { type Hop, formatHop } from '../route.js';
import type { AddressClass } from './address.js';

/**
 * Connections that this node makes to itself, when it comes up twice in a row in a route. The second
 * one comes from this host and would count as loopback; it inherits the class of its real client, so
 * that a detour through the node itself leads no further inward.
 */
export class SelfDials {
  readonly #classes = new Map<string, AddressClass>();

  /** Remembers a dialled socket as long as it lives. */
  add(socket: Socket, client: AddressClass): void {
    const key = formatHop({ host: socket.localAddress ?? '', port: socket.localPort ?? 0 });
    this.#classes.set(key, client);
    // Not at once: its other end may be judged a moment after this one is gone.
    socket.once('close', () => setTimeout(() => this.#classes.delete(key), SELF_DIAL_MS).unref());
  }

  /** The class of an accepted connection's real client, if it is one that this node made. */
  classOf(peer: Hop): AddressClass | undefined {
    return this.#classes.get(formatHop(peer));
  }
}
