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
   * @throws what `work` throws
   */
  async run<T>(work: (progress: () => void) => Promise<T>): Promise<T> {
    // The one that ends hands its place over.
    if (this.#active < this.#atOnce) this.#active += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
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

  /** @throws what `work` throws */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turns = this.#byKey.get(key) ?? new Turns(this.#atOnce, this.#patienceMs);
    this.#byKey.set(key, turns);
    try {
      return await turns.run(work);
    } finally {
      if (turns.isIdle && this.#byKey.get(key) === turns) this.#byKey.delete(key);
    }
  }
}
