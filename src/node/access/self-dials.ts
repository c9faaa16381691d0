import { type HostHop, formatHop } from '../../route/hop.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import type { AddressClass } from './address.js';

/** How long a connection to this node itself is remembered after it has closed. */
export const SELF_DIAL_MS = 5000;

/**
 * Connections that this node makes to itself, when it occurs twice in a row in a route. The second one comes from this
 * host and would count as loopback; it inherits the class of its real client, so that a detour through the node itself
 * leads no further inward.
 */
export class SelfDials {
  readonly #dials = new Map<string, { readonly client: AddressClass }>();

  /** Remembers a dialled stream until 5 s after it has closed. */
  add(stream: ByteStream, client: AddressClass): void {
    const key = formatHop(stream.local);
    const dial = { client };
    this.#dials.set(key, dial);
    // Not at once: the other end may be judged a moment after this one has closed.
    // By then its port may be that of another dial, which must not be forgotten for it.
    const forget = (): void => {
      if (this.#dials.get(key) === dial) this.#dials.delete(key);
    };
    stream.onClose(() => setTimeout(forget, SELF_DIAL_MS).unref());
  }

  /** The class of the real client of an accepted connection, if this node made that connection. */
  classOf(peer: HostHop): AddressClass | undefined {
    return this.#dials.size === 0 ? undefined : this.#dials.get(formatHop(peer))?.client;
  }
}
