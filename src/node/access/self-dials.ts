import type { Socket } from 'node:net';

import { type Hop, formatHop } from '../../route/hop.js';
import type { AddressClass } from './address.js';

/** How long a node remembers for whom it dialled itself, after that connection is gone. */
export const SELF_DIAL_MS = 5000;

/**
 * Connections that this node makes to itself, when it comes up twice in a row in a route. The second
 * one comes from this host and would count as loopback; it inherits the class of its real client, so
 * that a detour through the node itself leads no further inward.
 */
export class SelfDials {
  readonly #dials = new Map<string, { readonly client: AddressClass }>();

  /** Remembers a dialled socket as long as it lives, and 5 s more. */
  add(socket: Socket, client: AddressClass): void {
    const key = formatHop({ host: socket.localAddress ?? '', port: socket.localPort ?? 0 });
    const dial = { client };
    this.#dials.set(key, dial);
    // Not at once: its other end may be judged a moment after this one is gone.
    // By then its port may be that of another dial, which must not be forgotten for it.
    const forget = (): void => {
      if (this.#dials.get(key) === dial) this.#dials.delete(key);
    };
    socket.once('close', () => setTimeout(forget, SELF_DIAL_MS).unref());
  }

  /** The class of an accepted connection's real client, if it is one that this node made. */
  classOf(peer: Hop): AddressClass | undefined {
    return this.#dials.get(formatHop(peer))?.client;
  }
}
