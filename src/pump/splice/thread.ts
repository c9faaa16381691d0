import { Worker } from 'node:worker_threads';

import type { SystemCalls } from '../../system/calls.js';
import { NOTHING_MOVED, type OffloadJob, type OffloadResult, type OffloadedFlow } from '../offload.js';
import type { MovedBytes } from '../pump.js';
import type { Order, Report, WorkerStart } from './protocol.js';

/** A splice worker that is to stop does so at once, unless something is wrong with it: it is ended after this. */
export const OFFLOAD_STOP_MS = 2000;

/** Empty pipes that a worker keeps, and pipes that it has at most. */
export const PIPES_MAX = 4096;

/**
 * A splice worker as the main thread sees it. The main thread keeps the table of what the worker has: should it
 * die, its flows are ended and its descriptors closed.
 */
export class SpliceThread {
  /** Takes orders: it has started. */
  ready = false;
  /** Flows that have ended as they should. */
  finished = 0;
  readonly #calls: SystemCalls;
  readonly #start: WorkerStart;
  readonly #worker: Worker;
  readonly #flows = new Map<number, (result: OffloadResult) => void>();
  readonly #exited: Promise<void>;
  #lastId = 0;
  #cause: Error | undefined;
  #stopping = false;

  /**
   * @param largePipes its share of the large pipes
   * @param onDeath called with the reason, after its flows have ended, if it ends without {@link stop}
   * @throws SystemCallError EMFILE, ENFILE; ERR_WORKER_INIT_FAILED if the kernel has no thread to give
   */
  constructor(calls: SystemCalls, largePipes: number, onDeath: (thread: SpliceThread, cause: Error) => void) {
    this.#calls = calls;
    const opened: number[] = [];
    try {
      const epoll = calls.epollCreate();
      opened.push(epoll);
      const orders = calls.eventfd();
      opened.push(orders);
      const table = new SharedArrayBuffer(PIPES_MAX * 2 * Int32Array.BYTES_PER_ELEMENT);
      this.#start = { epoll, orders, largePipes, descriptors: new Int32Array(table) };
      this.#worker = new Worker(new URL('worker.js', import.meta.url), { workerData: this.#start });
    } catch (error) {
      for (const fd of opened) calls.close(fd);
      throw error;
    }
    this.#worker.unref();
    this.#worker.on('message', this.#hear);
    this.#worker.on('error', (error) => (this.#cause = error));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        running.delete(this);
        const cause = this.#cause ?? new Error('the splice worker ended');
        this.#bury(cause);
        if (!this.#stopping) onDeath(this, cause);
        resolve();
      });
    });
    running.add(this);
  }

  /** Flows that it has. */
  get load(): number {
    return this.#flows.size;
  }

  take(job: OffloadJob): OffloadedFlow {
    const id = ++this.#lastId;
    const moved = new Float64Array(new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT));
    // While it has flows it keeps the process alive, as the sockets would.
    if (this.#flows.size === 0) this.#worker.ref();
    const result = new Promise<OffloadResult>((resolve) => this.#flows.set(id, resolve));
    this.#order({ take: job, id, moved });
    return {
      get moved(): MovedBytes {
        return { toClient: moved[0] ?? 0, toUpstream: moved[1] ?? 0 };
      },
      result,
      abort: () => this.#order({ abort: id }),
    };
  }

  /** Ends the thread: when it hears of it, or, if it does not, wherever it is in our code. */
  async stop(): Promise<void> {
    // Who waits for this is to see it end.
    this.#worker.ref();
    this.askToStop();
    const late = setTimeout(() => void this.#worker.terminate(), OFFLOAD_STOP_MS);
    await this.#exited;
    clearTimeout(late);
  }

  /** A thread that sleeps in a system call would keep the process from ending. */
  askToStop(): void {
    this.#stopping = true;
    this.#order({ stop: true });
  }

  #order(order: Order): void {
    this.#worker.postMessage(order);
    this.#calls.wake(this.#start.orders);
  }

  readonly #hear = (report: Report): void => {
    if ('ready' in report) {
      this.ready = true;
      return;
    }
    this.finished += 1;
    this.#settle(report.id, report.result);
  };

  #settle(id: number, result: OffloadResult): void {
    const resolve = this.#flows.get(id);
    this.#flows.delete(id);
    if (this.#flows.size === 0) this.#worker.unref();
    resolve?.(result);
  }

  #bury(cause: Error): void {
    const { epoll, orders, descriptors } = this.#start;
    for (const id of this.#flows.keys()) this.#settle(id, { ...NOTHING_MOVED, end: { how: 'lost', cause } });
    for (const fd of [epoll, orders, ...descriptors.filter((open) => open !== 0)]) this.#calls.close(fd);
  }
}

const running = new Set<SpliceThread>();

process.on('exit', () => {
  for (const thread of running) thread.askToStop();
});
