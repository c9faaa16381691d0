import type { Signal } from '../signal.js';
/**
 * Runs few pieces of work at once; the others wait in order. Work that makes no progress for some time, because a file
 * system is slow or hangs, goes on without its place: it keeps no other work waiting.
 */
export class Turns {
  readonly #atOnce: number;
  readonly #patienceMs: number | undefined;
  readonly #waiting: (() => void)[] = [];
  #active = 0;

  /** @param patienceMs how long work may make no progress; undefined: without limit */
  constructor(atOnce: number, patienceMs: number | undefined) {
    this.#atOnce = atOnce;
    this.#patienceMs = patienceMs;
  }

  /** No place is taken. */
  get isIdle(): boolean {
    return this.#active === 0;
  }

  /**
   * @param work gets a function to call whenever it has made progress
   * @param signal when it is aborted, work that still waits is given up, and nothing is kept of it
   * @throws what `work` throws; the reason of the signal
   */
  async run<T>(work: (progress: () => void) => Promise<T>, signal?: Signal): Promise<T> {
    signal?.throwIfAborted();
    // The one that ends hands its place over.
    if (this.#active < this.#atOnce) this.#active += 1;
    else await this.#place(signal);
    let isEnded = false;
    const end = (): void => {
      if (!isEnded) this.#end();
      isEnded = true;
    };
    const late = this.#patienceMs === undefined ? undefined : setTimeout(end, this.#patienceMs);
    try {
      return await work(() => void late?.refresh());
    } finally {
      clearTimeout(late);
      end();
    }
  }

  #place(signal: Signal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(signal?.reason);
      };
      const take = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      this.#waiting.push(take);
      signal?.addEventListener('abort', giveUp);
    });
  }

  #end(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) return next();
    this.#active -= 1;
  }
}

/** The same for each key by itself. */
export class KeyedTurns {
  readonly #atOnce: number;
  readonly #patienceMs: number | undefined;
  readonly #byKey = new Map<string, Turns>();

  /** As for {@link Turns}. */
  constructor(atOnce: number, patienceMs: number | undefined) {
    this.#atOnce = atOnce;
    this.#patienceMs = patienceMs;
  }

  /** As {@link Turns.run}. */
  async run<T>(key: string, work: () => Promise<T>, signal?: Signal): Promise<T> {
    const turns = this.#byKey.get(key) ?? new Turns(this.#atOnce, this.#patienceMs);
    this.#byKey.set(key, turns);
    try {
      return await turns.run(work, signal);
    } finally {
      if (turns.isIdle && this.#byKey.get(key) === turns) this.#byKey.delete(key);
    }
  }
}
