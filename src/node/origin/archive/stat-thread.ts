import { Worker } from 'node:worker_threads';
import type { StatAnswer, StatOrder } from './facts.js';

/** The heap of a thread that holds the names of one folder. */
const HEAP_MIB = 64;
/** Young objects: the garbage of a walk is to cost little memory. */
const YOUNG_MIB = 2;

/** Threads that a file system still keeps, after they were to end, before no more are started. */
const KEPT_MAX = 8;
let running = 0;

/** Reads sizes and times of files, off the main thread. One order at a time. */
export class StatThread {
  readonly #worker: Worker;

  private constructor() {
    const resourceLimits = { maxOldGenerationSizeMb: HEAP_MIB, maxYoungGenerationSizeMb: YOUNG_MIB };
    this.#worker = new Worker(new URL('worker.js', import.meta.url), { resourceLimits });
    running += 1;
    this.#worker.once('exit', () => {
      running -= 1;
    });
    // Reported to whoever has given the order; without one it is of no interest.
    this.#worker.on('error', () => {});
  }

  /** Undefined if too many hang. */
  static start(): StatThread | undefined {
    return running < KEPT_MAX ? new StatThread() : undefined;
  }

  /** @throws Error if the thread ends */
  stat(order: StatOrder): Promise<StatAnswer> {
    return new Promise((resolve, reject) => {
      const worker = this.#worker;
      const answered = (answer: StatAnswer): void => {
        worker.off('error', reject).off('exit', ended);
        resolve(answer);
      };
      const ended = (): void => reject(new Error('the thread has ended'));
      worker.once('message', answered).once('error', reject).once('exit', ended);
      worker.postMessage(order);
    });
  }

  /** Ends the thread, once its call of the system returns. */
  close(): void {
    void this.#worker.terminate();
  }
}
