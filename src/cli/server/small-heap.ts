import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** The space for new objects stops growing at this size, in bytes. */
const NEW_SPACE_BYTES = 16 * 1024 * 1024;

/** Requests between two looks at it, of 1 µs each. */
const LOOK_EVERY = 16;

/** It may grow for so long after a look, in ms, if the requests since the look before came within that time. */
const GROWS_MS = 100;

/**
 * Under load V8 grows its space for new objects to 48 MiB and keeps it, which is much for thousands of idle connections, or for one
 * long archive. With 1 MiB, what it has at first, a relay of small replies collects garbage in a fifth of its time; with 16 MiB in
 * little more than with 48 (measured). So it grows while many requests come, up to that. Objects become old sooner, so old objects
 * are collected as soon as they have grown by half.
 */
export class SmallHeap {
  #requests = 0;
  #looked = 0;
  #grows = false;
  readonly #stop = setTimeout(() => this.#grow(false), GROWS_MS).unref();

  constructor() {
    this.#set();
    // Creating the heap of a new thread resets the growth of new objects (V8, Heap::ConfigureHeap).
    process.on('worker', (worker) => worker.once('online', this.#set).once('exit', this.#set));
  }

  /** A request has come, or a connection for it. */
  look(): void {
    this.#requests += 1;
    if (this.#requests % LOOK_EVERY !== 0) return;
    const since = performance.now() - this.#looked;
    this.#looked += since;
    if (since > GROWS_MS) return;
    const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    this.#grow((space?.space_size ?? 0) < NEW_SPACE_BYTES);
    this.#stop.refresh();
  }

  #grow(grows: boolean): void {
    if (grows === this.#grows) return;
    this.#grows = grows;
    this.#set();
  }

  readonly #set = (): void => {
    setFlagsFromString(`--semi-space-growth-factor=${this.#grows ? 2 : 1}`);
    setFlagsFromString('--heap-growing-percent=50');
  };
}
