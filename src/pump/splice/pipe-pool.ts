import { type Pipe, type SystemCalls } from '../../system/calls.js';
import { SystemCallError } from '../../system/library.js';

/**
 * Capacity of a pipe. A large one saves switches between threads; the kernel lets all processes of an ordinary user
 * have 64 MiB in pipes (pipe-user-pages-soft of pipe(7)), which is 1,024 small ones. So only the first of a process
 * are large, more of them where that limit does not hold, and each worker has its share. (64 flows at once are 1.2
 * times as fast with all pipes large; measured.)
 */
export const PIPE_BYTES_LARGE = 1024 * 1024;
export const PIPE_BYTES_SMALL = 64 * 1024;
export const LARGE_PIPES = 32;

/** Empty pipes that a worker keeps, and pipes that it has at most. */
export const PIPES_KEPT = 16;

export interface PooledPipe extends Pipe {
  /** Bytes that it holds at most. */
  readonly capacity: number;
  /** Where its descriptors stand in the table. */
  readonly place: number;
}

/**
 * The pipes of one worker, each empty while it is here. A flow borrows one as long as bytes are on their way
 * through it, so that few serve many. The last one that came back is given first: it is warm.
 */
export class PipePool {
  readonly #calls: SystemCalls;
  /** Two words for each pipe; 0 is a free place. Other threads read it. */
  readonly #descriptors: Int32Array;
  readonly #free: PooledPipe[] = [];
  readonly #largeMost: number;
  #large = 0;
  #open = 0;

  /** @param large pipes of the large size that it may have */
  constructor(calls: SystemCalls, descriptors: Int32Array, large = LARGE_PIPES) {
    this.#calls = calls;
    this.#largeMost = large;
    this.#descriptors = descriptors;
  }

  /** Pipes that exist, lent or not. */
  get open(): number {
    return this.#open;
  }

  /** An empty pipe, or undefined if the kernel has none to give, or only one too small to be of use. */
  take(): PooledPipe | undefined {
    return this.#free.pop() ?? this.#create();
  }

  /** Takes back an empty pipe. */
  give(pipe: PooledPipe): void {
    if (this.#free.length < PIPES_KEPT) this.#free.push(pipe);
    else this.discard(pipe);
  }

  /** Closes a pipe and drops what is in it. */
  discard({ readEnd, writeEnd, capacity, place }: PooledPipe): void {
    this.#descriptors[place] = 0;
    this.#descriptors[place + 1] = 0;
    this.#calls.close(readEnd);
    this.#calls.close(writeEnd);
    this.#open -= 1;
    if (capacity > PIPE_BYTES_SMALL) this.#large -= 1;
  }

  #create(): PooledPipe | undefined {
    const place = this.#freePlace();
    if (place === undefined) return undefined;
    try {
      const pipe = this.#calls.pipe();
      this.#descriptors[place] = pipe.readEnd;
      this.#descriptors[place + 1] = pipe.writeEnd;
      const wanted = this.#large < this.#largeMost ? PIPE_BYTES_LARGE : PIPE_BYTES_SMALL;
      const pooled = { ...pipe, place, capacity: this.#calls.resizePipe(pipe.writeEnd, wanted) };
      this.#open += 1;
      if (pooled.capacity > PIPE_BYTES_SMALL) this.#large += 1;
      if (pooled.capacity >= PIPE_BYTES_SMALL) return pooled;
      // The user's pages are used up (pipe(7), pipe-user-pages-soft).
      this.discard(pooled);
      return undefined;
    } catch (error) {
      if (error instanceof SystemCallError) return undefined;
      throw error;
    }
  }

  #freePlace(): number | undefined {
    for (let place = 0; place < this.#descriptors.length; place += 2) {
      if (this.#descriptors[place] === 0) return place;
    }
    return undefined;
  }
}
