import { ViaductError } from '../errors.js';

/**
 * To the next hop all clients of a relay are one client. So each client of a relay has only a part of what a node grants
 * to one client: one in so many, and in more for each further relay on the route, since to that one they are one client
 * too. With the default limit it is enough for 64 transfers over the longest route.
 */
export const ONE_IN = 4;
const MORE_PER_RELAY = 2;

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
   * @throws ViaductError UNAVAILABLE if the client has its part already
   */
  take(client: string, relaysLeft: number): void {
    const most = Math.max(LEAST, Math.floor(this.#limit / (ONE_IN + MORE_PER_RELAY * relaysLeft)));
    const taken = this.#taken.get(client) ?? 0;
    if (taken >= most) {
      const message = `this relay has ${taken} ${this.#what} of the same client under way; try again later`;
      throw new ViaductError('UNAVAILABLE', message);
    }
    this.#taken.set(client, taken + 1);
  }

  /** One of a client has ended. */
  giveBack(client: string): void {
    const left = (this.#taken.get(client) ?? 1) - 1;
    if (left === 0) this.#taken.delete(client);
    else this.#taken.set(client, left);
  }
}
