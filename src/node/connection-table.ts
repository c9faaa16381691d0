import { ViaductError } from '../errors.js';

/** A connection as the table sees it. */
export interface TableEntry {
  /** The client's network: the address, of IPv6 the first 64 bits. */
  readonly network: string;
  /** At the end of a tunnel. To the relays on the way it is a request under way for as long as it is open. */
  readonly isTunnel: boolean;
  /** Ends it for the sake of a newer one, after all that was sent on it. */
  giveWay(reason: ViaductError): void;
  /** Closes it at once. */
  abort(reason: ViaductError): void;
}

/**
 * One client has at most this part of the slots for connections without a request, and leaves this part of all slots
 * to other clients. Tunnels do not count: a relay bounds those of each of its clients as requests under way
 * (`relay-shares.ts`), and one of these clients could keep all others out with tunnels that are young.
 */
const SHARE = 1 / 8;

/** Connections without a request that every client may have: browsers and `get` open several. */
const WAITING_LEAST = 16;

/**
 * Connections that are leaving, beside those in the slots. When there are more, the oldest is closed: a client that
 * does not close its end keeps nobody out.
 */
const LEAVING_LEAST = 16;

/**
 * The bound of one client: its connections without a request give way once they are this old. Younger ones stay and the
 * new one is refused, which costs a tenth: a client that opens them that fast gains nothing by opening more.
 */
const YOUNG_MS = 1000;

interface Client {
  open: number;
  /** Without a request, since when; the oldest first. */
  readonly waiting: Map<TableEntry, number>;
  /** The same at ends of tunnels. */
  readonly tunnels: Map<TableEntry, number>;
  /** Their requests are being answered. */
  readonly answering: Set<TableEntry>;
}

function newClient(): Client {
  return { open: 0, waiting: new Map(), tunnels: new Map(), answering: new Set() };
}

/**
 * The open connections of a node. When there are too many, those that wait for a request give way to new ones, the
 * oldest first: an idle connection costs its client nothing. A connection whose request is being answered stays.
 */
export class ConnectionTable {
  readonly max: number;
  readonly #waitingMax: number;
  readonly #reserved: number;
  readonly #clients = new Map<string, Client>();
  /** Without a request, the oldest first. */
  readonly #waiting = new Map<TableEntry, number>();
  /** Gave way or were answered for the last time, and wait for the client's FIN; the oldest first. */
  readonly #leaving = new Set<TableEntry>();
  /** Left too slowly: their sockets are being closed. */
  readonly #aborted = new Set<TableEntry>();
  readonly #leavingMax: number;
  #open = 0;

  readonly #youngMs: number;

  /** @param max connections at once */
  constructor(max: number, youngMs = YOUNG_MS) {
    this.max = max;
    this.#youngMs = youngMs;
    this.#reserved = Math.floor(max * SHARE);
    this.#waitingMax = Math.max(WAITING_LEAST, this.#reserved);
    this.#leavingMax = Math.max(LEAVING_LEAST, this.#reserved);
  }

  /** Open connections. */
  get size(): number {
    return this.#open;
  }

  /** Half of the slots or more are taken. */
  get isBusy(): boolean {
    return this.#open * 2 >= this.max;
  }

  /** Makes room for another connection of a client. False if there is none. */
  makeRoom(network: string): boolean {
    const client = this.#clients.get(network) ?? newClient();
    // A relay may open many connections in one moment, before their requests arrive; but then it has others.
    const bound = this.#waitingMax + (this.isBusy ? 0 : client.answering.size + client.tunnels.size);
    if (client.waiting.size >= bound) {
      const [since = 0] = client.waiting.values();
      if (performance.now() - since < this.#youngMs) return false;
      this.#end(oldestOf(client.waiting), 'too many of its client');
    }
    const isLarge = client.open > this.#reserved;
    const isFull = this.#staying >= this.max - (isLarge ? this.#reserved : 0);
    const oldest = isLarge ? oldestOf(client.waiting, client.tunnels) : oldestOf(this.#waiting);
    if (isFull && !this.#end(oldest, 'too many in all')) return false;
    if (this.#staying + this.#leaving.size >= this.max + this.#leavingMax) this.#abortOldest();
    return true;
  }

  /** A connection was accepted; it waits for a request. */
  add(entry: TableEntry): void {
    const client = this.#clients.get(entry.network) ?? newClient();
    this.#clients.set(entry.network, client);
    client.open += 1;
    this.#open += 1;
    this.waits(entry);
  }

  /** A connection waits for a request. */
  waits(entry: TableEntry): void {
    const now = performance.now();
    this.#waiting.set(entry, now);
    const client = this.#clients.get(entry.network);
    (entry.isTunnel ? client?.tunnels : client?.waiting)?.set(entry, now);
    client?.answering.delete(entry);
  }

  /** The request of a connection has arrived. */
  answers(entry: TableEntry): void {
    this.#neither(entry);
    this.#clients.get(entry.network)?.answering.add(entry);
  }

  /** Only the client's FIN is awaited: the connection no longer takes a slot. */
  leaves(entry: TableEntry): void {
    this.#neither(entry);
    if (!this.#aborted.has(entry)) this.#leaving.add(entry);
  }

  /** A connection is closed. */
  delete(entry: TableEntry): void {
    this.#neither(entry);
    this.#leaving.delete(entry);
    this.#aborted.delete(entry);
    this.#open -= 1;
    const client = this.#clients.get(entry.network);
    if (client === undefined) return;
    client.open -= 1;
    if (client.open === 0) this.#clients.delete(entry.network);
  }

  #neither(entry: TableEntry): void {
    this.#waiting.delete(entry);
    const client = this.#clients.get(entry.network);
    client?.waiting.delete(entry);
    client?.tunnels.delete(entry);
    client?.answering.delete(entry);
  }

  get #staying(): number {
    return this.#open - this.#leaving.size - this.#aborted.size;
  }

  /** False if there is none. */
  #end(oldest: TableEntry | undefined, why: string): boolean {
    if (oldest === undefined) return false;
    this.leaves(oldest);
    oldest.giveWay(
      new ViaductError('ABORTED', `gave way to a newer connection: ${why} were without a request`),
    );
    return true;
  }

  /** What the kernel holds for its client is still sent, unless the client has sent more meanwhile. */
  #abortOldest(): void {
    const [oldest] = this.#leaving;
    if (oldest === undefined) return;
    this.#leaving.delete(oldest);
    this.#aborted.add(oldest);
    oldest.abort(new ViaductError('ABORTED', 'gave way to a newer connection: it was left open'));
  }
}

/** The one that waits longest. Each map has its oldest first. */
function oldestOf(...maps: readonly ReadonlyMap<TableEntry, number>[]): TableEntry | undefined {
  let oldest: TableEntry | undefined;
  let since = Infinity;
  for (const map of maps) {
    const [first] = map;
    if (first === undefined || first[1] >= since) continue;
    [oldest, since] = first;
  }
  return oldest;
}
