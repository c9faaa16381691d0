import { EAGAIN, EINTR } from '../../system/calls.js';
import type { SocketCalls } from '../../system/socket-calls.js';
import { type ReadSource, SocketReader } from '../socket-reader.js';
import type { Endpoint } from './endpoint.js';
import type { Poller, Runnable } from './poller.js';

/** One stream reads about so much before others have their turn. */
const TURN_BYTES = 1024 * 1024;

/** What a stream receives, read from its descriptor as far as a reader wants it. */
export class Receiving implements ReadSource, Runnable {
  readonly reader: SocketReader = new SocketReader(this);
  readonly #calls: SocketCalls;
  readonly #poller: Poller;
  readonly #endpoint: Endpoint;
  /** The reader wants bytes. */
  #flows = false;
  /** The kernel may have some. */
  #isReadable = false;
  /** A read that gets less than it asked for may not have got all. */
  #hasMore = false;
  #isReading = false;
  /** It has another turn. */
  #isDue = false;
  /** It is read before the poller tells. */
  #isExpected = false;

  constructor(calls: SocketCalls, poller: Poller, endpoint: Endpoint) {
    this.#calls = calls;
    this.#poller = poller;
    this.#endpoint = endpoint;
  }

  get destroyed(): boolean {
    return this.#endpoint.fd === undefined;
  }

  pause(): void {
    this.#flows = false;
  }

  /** Not at once: the reader is not to be called from here. */
  resume(): void {
    this.#flows = true;
    if (!this.#isReadable || this.#isDue || this.#isReading || this.destroyed) return;
    this.#isDue = true;
    if (this.#isExpected) process.nextTick(runNow, this);
    else this.#poller.again(this);
    this.#isExpected = false;
  }

  /** The first bytes are probably there: a turn of the loop less for what a client sends at once. */
  expect(): void {
    this.#isReadable = true;
    this.#isExpected = true;
  }

  /** @param hasMore an end or a break may follow, or bytes behind urgent ones */
  notice(hasMore: boolean): void {
    this.#isReadable = true;
    this.#hasMore ||= hasMore;
    this.#read();
  }

  run(): void {
    this.#isDue = false;
    this.#read();
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      this.#readTurn();
    } finally {
      this.#isReading = false;
      if (this.#flows) this.resume();
    }
  }

  #readTurn(): void {
    for (let left = TURN_BYTES; this.#flows && this.#isReadable && left > 0;) {
      const { fd } = this.#endpoint;
      if (fd === undefined) return;
      const into = this.reader.nextBuffer();
      const got = this.#calls.receive(fd, into);
      left -= Math.max(got, 0);
      if (got > 0) {
        // Less than asked for: there is no more, and the poller tells when there is (epoll(7)).
        if (got < into.length && !this.#hasMore) this.#isReadable = false;
        if (!this.reader.take(got)) this.#flows = false;
      } else if (got !== EINTR) {
        this.#isReadable = false;
        if (got === 0) this.#endpoint.finReceived();
        else if (got !== EAGAIN) this.#endpoint.broken('read', got);
      }
    }
  }
}

function runNow(receiving: Receiving): void {
  receiving.run();
}
