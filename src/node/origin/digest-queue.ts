import { PartHasher } from '../../files/hash/part-hasher.js';
import type { ServedFile } from './served-file.js';

/** Threads that hash, each a file at a time in parts. */
const DIGEST_THREADS = 2;

/** A part that takes so long hangs: what waits behind it goes to other threads, of which there are at most so many. */
const LATE_MS = 5000;
const THREADS_MOST = 8;

/** A turn: some 10 ms of hashing, or 50 without the processor's own instructions. */
export const DIGEST_PART_BYTES = 16 * 1024 * 1024;

/** Files that are hashed or wait for it, each open: in all and for one client. */
export const DIGESTS_QUEUED = 64;
export const DIGESTS_PER_CLIENT = 16;

/** Every so many turns of a client its oldest file is hashed on, not the one that is done soonest. */
const OLDEST_EVERY = 4;

/** An idle thread ends after this. */
const IDLE_MS = 10_000;

/** One file. */
export interface DigestJob {
  /** Networks of the clients that asked for it. */
  readonly clients: Set<string>;
  /** Of the file, in bytes. */
  readonly size: number;
  /** Opens the file when it has its first turn; undefined if it is another one by then. */
  open(): Promise<ServedFile | undefined>;
  /** Nobody waits for it any more. */
  isAbandoned(): boolean;
  /** Base64; undefined if it was abandoned, made way for another, or the file cannot be read. The file is used no more. */
  done(digest: string | undefined): void;
}

interface Entry {
  readonly id: number;
  readonly job: DigestJob;
  thread: Thread;
  file: ServedFile | undefined;
  hashed: number;
}

interface Thread {
  readonly hasher: PartHasher;
  readonly entries: Set<Entry>;
  /** The one of which it hashes a part now: its descriptor is in use. */
  current: Entry | undefined;
  /** Its part hangs. */
  isLate: boolean;
  idle: NodeJS.Timeout | undefined;
}

/**
 * Hashes files on threads of low priority. Clients have their turns one after the other, and of a client the file that is
 * done soonest: neither a large file nor a client with many keeps others waiting.
 */
export class DigestQueue {
  readonly #threads = new Set<Thread>();
  /** By client: the last of its turns. */
  readonly #lastTurn = new Map<string, number>();
  #turn = 0;
  #nextId = 0;
  #size = 0;
  #closed = false;
  readonly #lateMs: number;

  constructor(lateMs = LATE_MS) {
    this.#lateMs = lateMs;
  }

  /** Makes room for another file of a client, if it has few: a file of the client with the most then makes way. */
  makeRoom(client: string): boolean {
    const own = this.#countOf(client);
    if (this.#closed || own >= DIGESTS_PER_CLIENT) return false;
    if (this.#size < DIGESTS_QUEUED) return true;
    const counts = [...this.#lastTurn.keys()].map((other) => ({ other, count: this.#countOf(other) }));
    const most = counts.reduce((a, b) => (b.count > a.count ? b : a));
    const victim = this.#entries().findLast(
      (entry) => entry.job.clients.has(most.other) && entry.thread.current !== entry,
    );
    if (most.count <= own + 1 || victim === undefined) return false;
    victim.thread.hasher.forget(victim.id);
    this.#remove(victim, undefined);
    return true;
  }

  /** Hashes a file, and calls `job.done`. */
  add(job: DigestJob): void {
    const thread = this.#threadForNext();
    const entry: Entry = { id: this.#nextId++, job, thread, file: undefined, hashed: 0 };
    // A new client waits no longer than the one that has waited for the longest, and is not ahead of it.
    const first = Math.min(this.#turn, ...this.#lastTurn.values());
    for (const client of job.clients) this.#lastTurn.set(client, this.#lastTurn.get(client) ?? first);
    this.#size += 1;
    this.#give(entry, thread);
  }

  #give(entry: Entry, thread: Thread): void {
    entry.thread = thread;
    thread.entries.add(entry);
    clearTimeout(thread.idle);
    if (thread.entries.size === 1) void this.#run(thread);
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#threads].map((thread) => this.#end(thread)));
  }

  #threadForNext(): Thread {
    const working = [...this.#threads].filter(({ isLate }) => !isLate);
    const isMost = this.#threads.size >= THREADS_MOST;
    const choice = isMost && working.length === 0 ? [...this.#threads] : working;
    const least = choice.toSorted((a, b) => a.entries.size - b.entries.size)[0];
    if (least !== undefined && (least.entries.size === 0 || isMost || working.length >= DIGEST_THREADS))
      return least;
    const thread: Thread = {
      hasher: new PartHasher({ nice: true }),
      entries: new Set<Entry>(),
      current: undefined,
      isLate: false,
      idle: undefined,
    };
    this.#threads.add(thread);
    return thread;
  }

  async #run(thread: Thread): Promise<void> {
    for (let entry = this.#next(thread); entry !== undefined; entry = this.#next(thread)) {
      thread.current = entry;
      const late = setTimeout(() => this.#isLate(thread), this.#lateMs);
      try {
        await this.#hashPart(entry);
      } catch {
        this.#remove(entry, undefined);
      }
      clearTimeout(late);
      thread.isLate = false;
    }
    thread.current = undefined;
    if (!this.#threads.has(thread)) return;
    thread.idle = setTimeout(() => void this.#end(thread), IDLE_MS).unref();
  }

  /** What waits behind a part that hangs begins anew on other threads. */
  #isLate(thread: Thread): void {
    thread.isLate = true;
    for (const entry of thread.entries) {
      const other = entry === thread.current ? thread : this.#threadForNext();
      if (other.isLate) continue;
      thread.hasher.forget(entry.id);
      thread.entries.delete(entry);
      entry.hashed = 0;
      this.#give(entry, other);
    }
  }

  async #hashPart(entry: Entry): Promise<void> {
    entry.file ??= await entry.job.open();
    if (entry.file === undefined) return this.#remove(entry, undefined);
    const { size, handle, sparse } = entry.file;
    const to = Math.min(size, entry.hashed + DIGEST_PART_BYTES);
    const part = { file: entry.id, fd: handle.fd, from: entry.hashed, to, last: to === size, sparse };
    const digest = await entry.thread.hasher.hash(part);
    entry.hashed = to;
    if (part.last) this.#remove(entry, digest);
  }

  /** The file that has the next turn on a thread. */
  #next(thread: Thread): Entry | undefined {
    for (const entry of thread.entries) {
      if (!this.#closed && !entry.job.isAbandoned()) continue;
      thread.hasher.forget(entry.id);
      this.#remove(entry, undefined);
    }
    const turn = Math.min(...[...thread.entries].map((entry) => this.#lastTurnOf(entry)));
    const turns = [...thread.entries].filter((entry) => this.#lastTurnOf(entry) === turn);
    this.#turn += 1;
    const [first] = turns;
    if (first === undefined) return undefined;
    const isOldest = this.#turn % OLDEST_EVERY === 0;
    const next = isOldest ? first : turns.reduce((a, b) => (leftOf(b) < leftOf(a) ? b : a));
    for (const client of next.job.clients) this.#lastTurn.set(client, this.#turn);
    return next;
  }

  /** That of the client who has waited for the longest. */
  #lastTurnOf({ job }: Entry): number {
    return Math.min(...[...job.clients].map((client) => this.#lastTurn.get(client) ?? 0));
  }

  #entries(): readonly Entry[] {
    return Array.from(this.#threads, ({ entries }) => Array.from(entries)).flat();
  }

  #countOf(client: string): number {
    return this.#entries().filter(({ job }) => job.clients.has(client)).length;
  }

  #remove(entry: Entry, digest: string | undefined): void {
    if (!entry.thread.entries.delete(entry)) return;
    this.#size -= 1;
    for (const client of entry.job.clients) if (this.#countOf(client) === 0) this.#lastTurn.delete(client);
    entry.job.done(digest);
  }

  async #end(thread: Thread): Promise<void> {
    this.#threads.delete(thread);
    clearTimeout(thread.idle);
    await thread.hasher.close();
    // The current one ends by itself: its file may just be opened.
    for (const entry of thread.entries) if (entry !== thread.current) this.#remove(entry, undefined);
  }
}

function leftOf({ job, hashed }: Entry): number {
  return job.size - hashed;
}
