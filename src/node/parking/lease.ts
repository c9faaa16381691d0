import { randomBytes } from 'node:crypto';
import { MAX_TIMER_MS } from '../../defaults.js';
import { ViaductError } from '../../errors.js';
import { type ParkedHop, formatHop } from '../../route/hop.js';
import type { ByteStream, Reading } from '../../tcp/byte-stream.js';
import type { DialOptions } from '../../tcp/dial.js';
import { type ParkingTimes, READY_KEEP_ALIVE_MS, byeLine, openLine } from '../../wire/parking.js';

/** Ready connections that are asked for at once: a burst of requests costs the node as many. */
const OPENING_MAX = 64;

/** Before a connection that was used is replaced, in ms, while others are ready. */
const REFILL_MS = 20;

/** Requests that wait for a connection of one node. */
const WAITING_MAX = 256;

const BEAT = Buffer.from('\n');

/** Which lease asked for a connection, by token: each is used once, within its time. */
export type Tokens = Map<string, Lease>;

interface Waiter {
  readonly resolve: (stream: ByteStream) => void;
  readonly reject: () => void;
}

interface Ready {
  readonly reading: Reading;
  readonly forget: () => void;
}

export interface LeaseOptions {
  /** The name, or what the node is called by its pin. */
  readonly name: string;
  readonly pin: string;
  /** The client's network. */
  readonly network: string;
  /** Connections that are kept ready. */
  readonly ready: number;
  readonly tokens: Tokens;
  readonly times: ParkingTimes;
  /** Writes to the control connection. */
  readonly send: (line: Buffer) => void;
}

/** One parked node: its connections that wait for a request, and the requests that wait for a connection. */
export class Lease {
  readonly name: string;
  readonly pin: string;
  readonly network: string;
  readonly #options: LeaseOptions;
  /** In the order in which they came. */
  readonly #ready = new Map<ByteStream, Ready>();
  readonly #waiting = new Set<Waiter>();
  /** Tokens of connections that were asked for. */
  readonly #opening = new Map<string, NodeJS.Timeout>();
  /** Connections that are being accepted. */
  #coming = 0;
  #soon: NodeJS.Timeout | undefined;
  /** Why it ended. */
  #ended: string | undefined;
  /** Called when it ends, with the reason. */
  onEnd: (reason: string) => void = () => {};

  constructor(options: LeaseOptions) {
    this.#options = options;
    ({ name: this.name, pin: this.pin, network: this.network } = options);
  }

  /** Why it ended; undefined while it has not. */
  get ended(): string | undefined {
    return this.#ended;
  }

  /** Connections of the node that wait here or have been asked for. */
  get connections(): number {
    return this.#ready.size + this.#opening.size + this.#coming;
  }

  /** A connection that still waits for a request. */
  isOffered(stream: ByteStream): boolean {
    return this.#ready.has(stream);
  }

  /** Asks for as many connections as are missing. */
  refill(): void {
    const { ready, tokens, times, send } = this.#options;
    const missing = ready + this.#waiting.size - this.#ready.size - this.#coming;
    const wanted = Math.min(OPENING_MAX, missing);
    while (this.#ended === undefined && this.#opening.size < wanted) {
      const token = randomBytes(18).toString('base64url');
      tokens.set(token, this);
      const late = setTimeout(() => {
        this.#used(token);
        this.refill();
      }, times.openMs);
      this.#opening.set(token, late);
      send(openLine(token));
    }
  }

  /** While others are ready, the request that took one goes first. */
  #refillSoon(): void {
    if (this.#ready.size === 0) return this.refill();
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.refill();
    }, REFILL_MS);
  }

  /**
   * A ready connection has come, and is being accepted: {@link arrived} or {@link lost} follows.
   * @param token that it brought: no other one can bring it again
   */
  coming(token: string): void {
    this.#used(token);
    this.#coming += 1;
  }

  /** It was gone before it was accepted. */
  lost(): void {
    this.#coming -= 1;
    this.refill();
  }

  /** It has been accepted. It must have no reader, and belongs to this lease from here on. */
  arrived(stream: ByteStream): void {
    this.#coming -= 1;
    if (stream.closed || this.#ended !== undefined) {
      stream.reset();
      return this.refill();
    }
    stream.keepAlive(READY_KEEP_ALIVE_MS);
    const [waiter] = this.#waiting;
    if (waiter !== undefined) {
      this.#waiting.delete(waiter);
      waiter.resolve(stream);
      return this.refill();
    }
    const drop = (): void => {
      this.#leave(stream);
      stream.reset();
      this.refill();
    };
    // A node says nothing before it is asked.
    const reading = stream.attach({ take: () => (drop(), true), end: drop });
    this.#ready.set(stream, { reading, forget: stream.onClose(drop) });
    reading.resume();
  }

  /**
   * Takes a connection: one that is ready, or the next one to come.
   * @throws ViaductError UNAVAILABLE, CONNECT_TIMEOUT, NOT_PARKED; the signal's reason
   */
  take(hop: ParkedHop, { label, timeoutMs, signal }: DialOptions): Promise<ByteStream> {
    for (const stream of Array.from(this.#ready.keys())) {
      this.#leave(stream);
      if (stream.closed || stream.ended) {
        stream.reset();
        continue;
      }
      this.#refillSoon();
      return Promise.resolve(stream);
    }
    const hopAddress = formatHop(hop);
    if (this.#waiting.size >= WAITING_MAX) {
      const message = `${label} has too many requests that wait for a connection`;
      return Promise.reject(new ViaductError('UNAVAILABLE', message, { hopAddress }));
    }
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        this.#waiting.delete(waiter);
      };
      const fail = (error: unknown): void => {
        stop();
        reject(error);
      };
      const aborted = (): void => fail(signal.reason);
      const late = (): void => {
        const message = `${label} does not answer: it opened no connection within ${timeoutMs / 1000} s`;
        fail(new ViaductError('CONNECT_TIMEOUT', message, { hopAddress }));
      };
      const timer = setTimeout(late, Math.min(timeoutMs, MAX_TIMER_MS));
      const waiter: Waiter = {
        resolve: (stream) => {
          stop();
          resolve(stream);
        },
        reject: () => fail(notParked(label, hop)),
      };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', aborted, { once: true });
      if (signal.aborted) return aborted();
      this.refill();
    });
  }

  /** Keeps ready connections from falling silent, where relays lie between. */
  beat(): void {
    for (const stream of this.#ready.keys()) stream.write(BEAT);
  }

  /** Ends it: what waits is closed, and connections that were taken go on. @param reason for the node */
  end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#options.send(byeLine(reason));
    clearTimeout(this.#soon);
    for (const token of Array.from(this.#opening.keys())) this.#used(token);
    for (const stream of Array.from(this.#ready.keys())) {
      this.#leave(stream);
      stream.reset();
    }
    for (const waiter of Array.from(this.#waiting)) waiter.reject();
    this.onEnd(reason);
  }

  #used(token: string): void {
    clearTimeout(this.#opening.get(token));
    this.#opening.delete(token);
    this.#options.tokens.delete(token);
  }

  #leave(stream: ByteStream): void {
    const ready = this.#ready.get(stream);
    this.#ready.delete(stream);
    ready?.reading.detach();
    ready?.forget();
  }
}

export function notParked(label: string, hop: ParkedHop): ViaductError {
  return new ViaductError('NOT_PARKED', `${label} is not parked here`, { hopAddress: formatHop(hop) });
}
