import { ViaductError } from '../errors.js';

/**
 * To the next hop all clients of a relay are one client. So of what a node grants to one client, each client of the
 * relay has a part.
 */
const SHARE = 1 / 4;

/** With another relay behind this one half of it: to that relay too, all of them are one client, and others are to be left. */
const SHARE_PER_RELAY = 1 / 2;

/** What every client may have, however small the limit: as many files as `get` fetches at once. */
const LEAST = 4;

/** Counts what each client (an address or a network) has relayed at once, and bounds it. */
export class RelayShares {
  readonly #limit: number;
  readonly #what: string;
  readonly #taken = new Map<string, number>();

  /**
   * @param limit of what the next hop has or grants; this node's own is taken for it
   * @param what it is, for the message
   */
  constructor(limit: number, what: string) {
    this.#limit = limit;
    this.#what = what;
  }

  /**
   * @param relaysLeft relays on the route behind this one
   * @returns what gives it back
   * @throws ViaductError UNAVAILABLE if the client has its part already
   */
  take(client: string, relaysLeft: number): () => void {
    const most = Math.max(LEAST, Math.floor(this.#limit * SHARE * SHARE_PER_RELAY ** relaysLeft));
    const taken = this.#taken.get(client) ?? 0;
    if (taken >= most) {
      const message = `this relay has ${taken} ${this.#what} of the same client under way; try again later`;
      throw new ViaductError('UNAVAILABLE', message);
    }
    this.#taken.set(client, taken + 1);
    return () => {
      const left = (this.#taken.get(client) ?? 1) - 1;
      if (left === 0) this.#taken.delete(client);
      else this.#taken.set(client, left);
    };
  }
}
