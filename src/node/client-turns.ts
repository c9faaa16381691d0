import { KeyedTurns } from './turns.js';

/** What one client begins at once. */
const PER_CLIENT = 2;

/** Work that takes longer is not waited for: a slow file system keeps no other file waiting. In ms. */
const SHORT_MS = 50;

/**
 * Runs short work, such as opening a file, for few requests of a client (an address or a network) at once; the others wait in
 * order. A node accepts one connection in each turn of its event loop (libuv, measured): a client whose requests make the
 * turns long would keep all others waiting before they are accepted.
 */
export class ClientTurns extends KeyedTurns {
  constructor() {
    super(PER_CLIENT, SHORT_MS);
  }
}
