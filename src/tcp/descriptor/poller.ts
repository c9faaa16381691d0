import {
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  EpollEvents,
  type SystemCalls,
} from '../../system/calls.js';
import type { Library, Watch } from '../../system/library.js';

/** Events that one epoll_wait(2) fetches, and times that a turn of the loop asks, as libuv does: what has come is told in this turn. */
const EVENTS = 1024;
const ROUNDS = 48;

/** Each change is told once. Urgent data too: a read ends before it (tcp(7)). */
const ALL = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;

/** Something that waits for a descriptor. */
export interface Polled {
  /** @param events EPOLL bits */
  notice(events: number): void;
}

/** Something that has asked for another turn. */
export interface Runnable {
  run(): void;
}

/**
 * Waits for many descriptors in Node's event loop: they are in an epoll set of their own, and the loop waits for that as a whole. So
 * a descriptor costs one system call in its life, and a turn one more than what it does. Each event is told in a callback of
 * its own, as with Node's sockets: promises that one settles go on before the next is told.
 */
export class Poller {
  readonly #calls: SystemCalls;
  readonly #epoll: number;
  readonly #watch: Watch;
  readonly #events = new EpollEvents(EVENTS);
  /** By number; a number is used again, but not in the same turn: events of its last owner may still come in that. */
  readonly #polled: (Polled | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #freed: number[] = [];
  #size = 0;

  /** @throws SystemCallError EMFILE, ENFILE */
  constructor(calls: SystemCalls, watch: NonNullable<Library['watch']>) {
    this.#calls = calls;
    this.#epoll = calls.epollCreate();
    this.#watch = watch(this.#epoll, this.#fetch);
    this.#watch.unref();
  }

  /**
   * Reports what happens to a descriptor.
   * @param events EPOLL bits. @default all of a stream, each change once
   * @returns its number, for {@link delete}
   * @throws SystemCallError ENOSPC, ENOMEM
   */
  add(fd: number, polled: Polled, events = ALL): number {
    const number = this.#free.pop() ?? this.#polled.length;
    this.#polled[number] = polled;
    try {
      this.#calls.epollAdd(this.#epoll, fd, events, number);
    } catch (error) {
      this.#polled[number] = undefined;
      this.#free.push(number);
      throw error;
    }
    this.#size += 1;
    if (this.#size === 1) this.#watch.ref();
    return number;
  }

  /** @param fd undefined if it is going to be closed at once, which the kernel notices */
  delete(number: number, fd?: number): void {
    if (fd !== undefined) this.#calls.epollDelete(this.#epoll, fd);
    this.#polled[number] = undefined;
    this.#freed.push(number);
    this.#size -= 1;
    if (this.#size === 0) this.#watch.unref();
  }

  /** Runs something in the next turn: it has more to do, or must not do it now. */
  again(runnable: Runnable): void {
    setImmediate(this.#run, runnable);
  }

  /** In the loop's poll phase. What it plans runs in the check phase that follows. */
  readonly #fetch = (): void => {
    this.#free.push(...this.#freed.splice(0));
    for (let round = 0, count = EVENTS; count === EVENTS && round < ROUNDS; round += 1) {
      count = this.#calls.epollWait(this.#epoll, this.#events, 0);
      for (let index = 0; index < count; index += 1)
        setImmediate(this.#tell, this.#events.data(index), this.#events.events(index));
    }
  };

  readonly #tell = (number: number, events: number): void => this.#polled[number]?.notice(events);

  readonly #run = (runnable: Runnable): void => runnable.run();
}
