import type { Signal } from '../signal.js';
import { lookup } from 'node:dns/promises';
import pLimit, { type LimitFunction } from 'p-limit';

/** Names that are looked up at once for one client: a look-up that hangs holds one of two threads (libuv). */
const LOOKUPS_PER_CLIENT = 1;

/** All addresses of a name, in the order in which to try them. */
export type Lookup = (host: string) => Promise<readonly string[]>;

const systemLookup: Lookup = async (host) => {
  const found = await lookup(host, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

/** A look-up that waits for its turn or runs, and how many still want its answer. */
interface Pending {
  readonly answer: Promise<readonly string[]>;
  wanted: number;
}

/**
 * Look-ups that one client cannot use against the others: getaddrinfo(3) blocks one of the two
 * threads that libuv has for it for as long as it likes. So one client has one look-up at work, the
 * same name is looked up once for all requests that wait for it, and one that no request waits for never starts.
 */
export class Resolver {
  readonly #lookup: Lookup;
  readonly #limits = new Map<string, LimitFunction>();
  readonly #pending = new Map<string, Pending>();

  constructor(find: Lookup = systemLookup) {
    this.#lookup = find;
  }

  /**
   * @param host a name, not an address
   * @param client whose turn it takes; usually the client's address
   * @param signal ends the wait, though not a look-up that runs already
   * @throws the resolver's error, or the signal's reason
   */
  async resolve(host: string, client: string, signal: Signal): Promise<readonly string[]> {
    signal.throwIfAborted();
    const pending = this.#pending.get(`${client} ${host}`) ?? this.#enqueue(host, client);
    pending.wanted += 1;
    try {
      return await Promise.race([pending.answer, rejection(signal)]);
    } finally {
      pending.wanted -= 1;
    }
  }

  #enqueue(host: string, client: string): Pending {
    const key = `${client} ${host}`;
    const limit = this.#limits.get(client) ?? pLimit(LOOKUPS_PER_CLIENT);
    this.#limits.set(client, limit);
    const answer = limit(async () => {
      try {
        return pending.wanted > 0 ? await this.#lookup(host) : [];
      } finally {
        this.#pending.delete(key);
        if (limit.pendingCount === 0) this.#limits.delete(client);
      }
    });
    // Requests that wait get the error; without any it must not be "unhandled".
    answer.catch(() => {});
    const pending: Pending = { answer, wanted: 0 };
    this.#pending.set(key, pending);
    return pending;
  }
}

/** Never resolves; rejects with the signal's reason. */
function rejection(signal: Signal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
