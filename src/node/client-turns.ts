/** What one client begins at once. */
const PER_CLIENT = 2;

/** Work that takes longer is not waited for: a slow file system keeps no other file waiting. In ms. */
const SHORT_MS = 50;

interface Turns {
  active: number;
  readonly waiting: (() => void)[];
}

/**
 * Runs short work, such as opening a file, for few requests of a client (an address or a network) at once; the others wait in
 * order. A node accepts one connection in each turn of its event loop (libuv, measured): a client whose requests make the
 * turns long would keep all others waiting before they are accepted.
 */
export class ClientTurns {
  readonly #clients = new Map<string, Turns>();

  /** @throws what `work` throws */
  async run<T>(client: string, work: () => Promise<T>): Promise<T> {
    const turns = this.#clients.get(client) ?? { active: 0, waiting: [] };
    this.#clients.set(client, turns);
    // The one that ends hands its place over.
    if (turns.active < PER_CLIENT) turns.active += 1;
    else await new Promise<void>((resolve) => turns.waiting.push(resolve));
    let isEnded = false;
    const end = (): void => {
      if (!isEnded) this.#end(client, turns);
      isEnded = true;
    };
    const late = setTimeout(end, SHORT_MS);
    try {
      return await work();
    } finally {
      clearTimeout(late);
      end();
    }
  }

  #end(client: string, turns: Turns): void {
    const next = turns.waiting.shift();
    if (next !== undefined) return next();
    turns.active -= 1;
    if (turns.active === 0) this.#clients.delete(client);
  }
}
