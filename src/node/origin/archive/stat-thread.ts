import { Worker } from 'node:worker_threads';
import { FACTS, type StatAnswer, type StatOrder } from './facts.js';

/** The heap of a thread that holds some names of a folder. */
const HEAP_MIB = 64;
/** Young objects: the garbage of a walk is to cost little memory. */
const YOUNG_MIB = 2;

/** Names of one message: many long ones would be more than its heap holds, and keep the main thread while they are copied. */
const NAMES_AT_ONCE = 1024;

/** Threads that a file system still keeps, after they were to end, before no more are started. */
const KEPT_MAX = 8;
let running = 0;

/** Reads sizes and times of files, off the main thread. One order at a time. */
export class StatThread {
  readonly #worker: Worker;
  #hasEnded = false;

  private constructor() {
    const resourceLimits = { maxOldGenerationSizeMb: HEAP_MIB, maxYoungGenerationSizeMb: YOUNG_MIB };
    this.#worker = new Worker(new URL('worker.js', import.meta.url), { resourceLimits });
    running += 1;
    this.#worker.once('exit', () => {
      running -= 1;
      this.#hasEnded = true;
    });
    // Reported to whoever has given the order; without one it is of no interest.
    this.#worker.on('error', () => {});
  }

  /** Undefined if too many hang. */
  static start(): StatThread | undefined {
    return running < KEPT_MAX ? new StatThread() : undefined;
  }

  /** @throws Error if the thread ends */
  async stat({ folder, names }: StatOrder): Promise<StatAnswer> {
    const facts = new BigInt64Array(names.length * FACTS.length);
    for (let at = 0; at < names.length; at += NAMES_AT_ONCE)
      facts.set(
        await this.#answer({ folder, names: names.slice(at, at + NAMES_AT_ONCE) }),
        at * FACTS.length,
      );
    return facts;
  }

  #answer(order: StatOrder): Promise<StatAnswer> {
    return new Promise((resolve, reject) => {
      const worker = this.#worker;
      const answered = (answer: StatAnswer): void => {
        worker.off('error', reject).off('exit', ended);
        resolve(answer);
      };
      const ended = (): void => reject(new Error('the thread has ended'));
      if (this.#hasEnded) return ended();
      worker.once('message', answered).once('error', reject).once('exit', ended);
      worker.postMessage(order);
    });
  }

  /** Ends the thread, once its call of the system returns. */
  close(): void {
    void this.#worker.terminate();
  }
}
