import type { Signal } from '../../../signal.js';
import { ViaductError } from '../../../errors.js';
import { segmentsOf } from '../../../route/subtree.js';
import { LISTINGS_PER_CLIENT } from '../folder-names.js';
import { KeyedTurns, Turns } from '../../turns.js';
import type { Plan } from './plan.js';
import { StatThread } from './stat-thread.js';
import { type Top, Walk, type WalkOptions } from './walk.js';

/** Trees that are read at once, and how long one of which nothing comes keeps another one waiting. */
const WALKS = 2;
const WALK_PATIENCE_MS = 1000;
const WALKS_PER_CLIENT = 1;

/** A tree has to be read within this time, since relays wait no longer for a reply. */
const WALK_MS = 10_000;

/** Files and folders of an archive: some 40 MiB of memory. */
const ENTRIES_MAX = 250_000;

/** Archives on their way to clients in all. To one client as many as listings, since relays bound both together. */
const ARCHIVES = 256;

/** Files and folders of archives on their way, each tree once, before no further one is read; half as many of one client. */
const ENTRIES_HELD = 1_000_000;

/** Plans are kept so long for clients that go on with an archive; with so many entries, some 80 MiB, together. */
const KEPT_MS = 60_000;
const ENTRIES_KEPT = 500_000;
/** A plan takes so much memory as an entry for each of these characters of its comment. */
const COMMENT_PER_ENTRY = 50;

/** A request for an archive. */
export interface ArchiveRequest {
  readonly top: Top;
  /** The client's network. */
  readonly client: string;
  /** It goes on with an archive that was begun before: the ETags that it names, empty for none. Undefined if it begins one. */
  readonly goesOn: string | undefined;
  /** Aborted when the client leaves. */
  readonly signal: Signal;
}

/** A plan that is used until it is released. */
export interface HeldPlan {
  readonly plan: Plan;
  /** Something in it is no longer as planned: no other request gets it. */
  readonly drop: () => void;
  readonly release: () => void;
}

interface Used {
  /** What it is a plan of. */
  readonly key: string;
  /** Networks of clients, one for each request. */
  readonly users: string[];
}

interface Kept {
  /** What it is a plan of. */
  readonly key: string;
  readonly plan: Plan;
  readonly timer: NodeJS.Timeout;
}

/** Reads trees for archives: few at once, and once for all requests that go on with the same archive. */
export class Archives {
  /** The one used longest ago first. */
  readonly #kept = new Map<Plan, Kept>();
  /** Those of archives on their way. */
  readonly #used = new Map<Plan, Used>();
  readonly #users: string[] = [];
  readonly #walks = new Turns(WALKS, WALK_PATIENCE_MS);
  readonly #clients = new KeyedTurns(WALKS_PER_CLIENT, undefined);
  readonly #walkMs: number;
  readonly #maxEntries: number;
  readonly #maxHeld: number;

  /**
   * @param maxEntries files and folders of one archive
   * @param maxHeld files and folders of archives on their way before no further tree is read
   */
  constructor({ walkMs = WALK_MS, maxEntries = ENTRIES_MAX, maxHeld = ENTRIES_HELD } = {}) {
    this.#walkMs = walkMs;
    this.#maxEntries = maxEntries;
    this.#maxHeld = maxHeld;
  }

  /**
   * What is in the archive of a folder.
   * @throws ViaductError UNAVAILABLE if there are too many archives, or it was not read in time; FORBIDDEN if it is too large;
   *   the reason of the signal
   */
  async hold(request: ArchiveRequest): Promise<HeldPlan> {
    const { client, top, goesOn } = request;
    const own = this.#users.filter((other) => other === client).length;
    if (own >= LISTINGS_PER_CLIENT || this.#users.length >= ARCHIVES)
      throw new ViaductError('UNAVAILABLE', 'too many archives are on their way; try again later');
    this.#users.push(client);
    const leave = (): void => void this.#users.splice(this.#users.indexOf(client), 1);
    // What a client may read has its part in it.
    const key = [top.root.path, top.root.limit, segmentsOf(top.name).join('/'), ...top.shares.keys()].join(
      '\0',
    );
    try {
      const known = goesOn === undefined ? undefined : this.#find(key, goesOn);
      const plan = known ?? (await this.#read(request));
      // One that has turned out the same is used on.
      const same = this.#find(key, plan.tag) ?? this.#findUsed(key, plan.tag) ?? plan;
      this.#keep(key, same);
      const end = this.#use(key, same, client);
      const release = (): void => {
        leave();
        end();
      };
      return { plan: same, drop: () => this.#forget(same), release };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #read({ top, client, signal }: ArchiveRequest): Promise<Plan> {
    // AbortSignal.any keeps all that listens, with the plan, until it is aborted, that is: for ever (Node 20, measured).
    const end = new AbortController();
    const leave = (): void => end.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', leave);
    const seconds = this.#walkMs / 1000;
    const error = new ViaductError(
      'UNAVAILABLE',
      `the folder was not read within ${seconds} s; try again later`,
    );
    const timer = setTimeout(() => end.abort(error), this.#walkMs);
    try {
      return await this.#readUntil(end.signal, top, client);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    }
  }

  /** A file system that hangs keeps the walk, but not the client. */
  #readUntil(signal: Signal, top: Top, client: string): Promise<Plan> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      const walk = async (progress: () => void): Promise<Plan> => {
        this.#checkHeld(client);
        return walked(top, { signal, progress, maxEntries: this.#maxEntries });
      };
      this.#clients.run(client, () => this.#walks.run(walk, signal), signal).then(resolve, reject);
    });
  }

  /** @returns what is to be called when it is used no more */
  #use(key: string, plan: Plan, client: string): () => void {
    const used: Used = this.#used.get(plan) ?? { key, users: [] };
    const { users } = used;
    users.push(client);
    this.#used.set(plan, used);
    return () => {
      users.splice(users.indexOf(client), 1);
      if (users.length === 0) this.#used.delete(plan);
    };
  }

  #findUsed(key: string, tag: string): Plan | undefined {
    for (const [plan, used] of this.#used) if (used.key === key && plan.tag === tag) return plan;
    return undefined;
  }

  /** @throws ViaductError UNAVAILABLE if those of archives on their way are too many */
  #checkHeld(client: string): void {
    let [all, own] = [0, 0];
    for (const [{ entries }, { users }] of this.#used) {
      all += entries;
      if (users.includes(client)) own += entries;
    }
    if (all < this.#maxHeld && own < this.#maxHeld / 2) return;
    throw new ViaductError('UNAVAILABLE', 'too many large archives are on their way; try again later');
  }

  /** The plan that has one of the tags, or the last one if there are none. */
  #find(key: string, tags: string): Plan | undefined {
    const plans = [...this.#kept.values()].filter((kept) => kept.key === key).map(({ plan }) => plan);
    return tags === '' ? plans.at(-1) : plans.find(({ tag }) => tags.includes(tag));
  }

  #keep(key: string, plan: Plan): void {
    this.#forget(plan);
    this.#kept.set(plan, { key, plan, timer: setTimeout(() => this.#forget(plan), KEPT_MS).unref() });
    let entries = 0;
    for (const { plan: other } of [...this.#kept.values()].toReversed()) {
      entries += other.entries + Math.ceil(other.comment.length / COMMENT_PER_ENTRY);
      if (entries > ENTRIES_KEPT) this.#forget(other);
    }
  }

  #forget(plan: Plan): void {
    clearTimeout(this.#kept.get(plan)?.timer);
    this.#kept.delete(plan);
  }
}

async function walked(top: Top, options: Omit<WalkOptions, 'stats'>): Promise<Plan> {
  const { signal } = options;
  signal.throwIfAborted();
  const stats = StatThread.start();
  if (stats === undefined)
    throw new ViaductError('UNAVAILABLE', 'the file system does not answer; try again later');
  // A call that hangs is not waited for.
  signal.addEventListener('abort', () => stats.close());
  try {
    return await new Walk(top, { ...options, stats }).run();
  } finally {
    stats.close();
  }
}
