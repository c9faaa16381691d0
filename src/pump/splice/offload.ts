import { availableParallelism } from 'node:os';
import { LARGE_PIPES } from './pipe-pool.js';
import type { SystemCalls } from '../../system/calls.js';
import { pipesAreUnlimited } from '../../system/pipe-limits.js';
import { NOTHING_MOVED, type Offload, type OffloadJob, type OffloadedFlow } from '../offload.js';
import { SpliceThread } from './thread.js';

/** Splice workers of a node at most; never more than there are processors. */
const OFFLOAD_WORKERS = 4;

/** A worker that dies so often in a row, without ending a flow in between, is not started again. */
export const OFFLOAD_DEATHS = 3;

/**
 * Capacity of a pipe. A large one saves switches between threads; the kernel lets all processes of an ordinary user
 * have 64 MiB in pipes (pipe-user-pages-soft of pipe(7)), which is 1,024 small ones. So only the first of a process
 * are large, more of them where that limit does not hold, and each worker has its share. (64 flows at once are 1.2
 * times as fast with all pipes large; measured.)
 */
const LARGE_PIPES_UNLIMITED = 256;

/** Moves flows with splice(2) on worker threads: started when there is need, no more than there are processors. */
export class SpliceOffload implements Offload {
  readonly #calls: SystemCalls;
  readonly #onDeath: (cause: Error) => void;
  readonly #most = Math.min(availableParallelism(), OFFLOAD_WORKERS);
  readonly #largePipes = pipesAreUnlimited() ? LARGE_PIPES_UNLIMITED : LARGE_PIPES;
  readonly #threads: SpliceThread[] = [];
  #deaths = 0;

  /** @param onDeath called for each worker that died */
  constructor(calls: SystemCalls, onDeath: (cause: Error) => void) {
    this.#calls = calls;
    this.#onDeath = onDeath;
  }

  ready(): boolean {
    const free = this.#leastLoaded();
    if (free === undefined || free.load > 0) this.#startAnother();
    return free !== undefined;
  }

  take(job: OffloadJob): OffloadedFlow {
    const thread = this.#leastLoaded();
    if (thread) return thread.take(job);
    // The last one died just now.
    const result = Promise.resolve({ ...NOTHING_MOVED, end: { how: 'returned' as const } });
    return { moved: NOTHING_MOVED, result, abort: () => {} };
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.stop()));
  }

  #leastLoaded(): SpliceThread | undefined {
    let least: SpliceThread | undefined;
    for (const thread of this.#threads) {
      if (thread.ready && (least === undefined || thread.load < least.load)) least = thread;
    }
    return least;
  }

  #startAnother(): void {
    const isStarting = this.#threads.some(({ ready }) => !ready);
    if (isStarting || this.#threads.length >= this.#most || this.#deaths >= OFFLOAD_DEATHS) return;
    try {
      const largePipes = Math.floor(this.#largePipes / this.#most);
      this.#threads.push(new SpliceThread(this.#calls, largePipes, this.#died));
    } catch (error) {
      // No descriptors or threads are left: flows go on without.
      this.#deaths += 1;
      this.#onDeath(error instanceof Error ? error : new Error(String(error)));
    }
  }

  readonly #died = (thread: SpliceThread, cause: Error): void => {
    const at = this.#threads.indexOf(thread);
    if (at >= 0) this.#threads.splice(at, 1);
    this.#deaths = thread.finished > 0 ? 1 : this.#deaths + 1;
    this.#onDeath(cause);
  };
}
