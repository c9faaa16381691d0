import type { Scheme } from '../../route/location.js';
import type { Route } from '../../route/hop.js';
import type { Encryption } from './encryption.js';
import type { LinkOptions } from './link.js';
import { Pipeline, type PipelinedRequest } from './pipeline.js';
import { headLimitMs } from './secure.js';
import { openPlainSession, openSession } from './session.js';
import type { Session, Sessions } from './sessions.js';

/** Requests on one connection whose replies are not dealt with yet, and bytes that these may have. */
const REQUESTS_AHEAD = 128;
const BYTES_AHEAD = 2 * 1024 * 1024;

/** A further connection is opened when each has so many requests under way: for a few files one is enough. */
const REQUESTS_PER_CONNECTION = 16;

export interface PipelinesOptions extends LinkOptions {
  readonly encryption: Encryption;
  /** No encryption between the first hop and the last. @default false */
  readonly plain?: boolean | undefined;
  /** Connections are taken from here and given back. */
  readonly sessions: Sessions;
  /** Connections at the same time. */
  readonly connections: number;
  /** Ends all of them; its reason is thrown. */
  readonly signal: AbortSignal;
}

/** A request that was sent. */
export interface SentRequest {
  /** As {@link Pipeline.send}. */
  readonly replied: Promise<void>;
  /** Nothing of the reply is kept any more, so another request may be sent. */
  readonly release: () => void;
}

interface Line {
  readonly pipeline: Pipeline;
  /** Under way or kept, and the bytes that their replies may have. */
  requests: number;
  bytes: number;
}

/** Several pipelines to the last hop of a route, opened as they are needed. */
export class Pipelines {
  readonly #route: Route;
  readonly #scheme: Scheme;
  readonly #options: PipelinesOptions;
  #lines: Line[] = [];
  #opening: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** Called when there may be room. */
  #waiting: (() => void)[] = [];

  constructor(route: Route, scheme: Scheme, options: PipelinesOptions) {
    this.#route = route;
    this.#scheme = scheme;
    this.#options = options;
    options.signal.addEventListener('abort', () => this.#close());
    options.sessions.beforeClose(() => this.#close());
  }

  /** Bytes received so far on those that are open. */
  get received(): number {
    return this.#lines.reduce((sum, { pipeline }) => sum + pipeline.stream.received, 0);
  }

  /**
   * Sends a request as soon as there is room for it.
   * @param bytes that its reply may have
   * @throws ViaductError as {@link openSession} and {@link openPlainSession}; the signal's reason
   */
  async send(request: PipelinedRequest, bytes: number): Promise<SentRequest> {
    const line = await this.#room(bytes);
    line.bytes += bytes;
    line.requests += 1;
    const replied = line.pipeline.send(request);
    replied.catch(() => {}); // The caller's.
    const release = (): void => {
      line.bytes -= bytes;
      line.requests -= 1;
      this.#wake();
    };
    return { replied, release };
  }

  /** Gives idle connections back, and ends the others. */
  #close(): void {
    const { signal, sessions } = this.#options;
    for (const { pipeline } of this.#lines.splice(0)) {
      const session = pipeline.end(signal.reason);
      if (session !== undefined) sessions.give(session);
    }
    this.#wake();
  }

  async #room(bytes: number): Promise<Line> {
    const { connections, signal } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      this.#lines = this.#lines.filter(({ pipeline }) => !pipeline.isOver);
      const open = this.#lines.filter(({ pipeline }) => pipeline.isOpen);
      const [best] = open.toSorted((a, b) => a.requests - b.requests);
      const isBusy = best === undefined || best.requests >= REQUESTS_PER_CONNECTION;
      const mayOpen = this.#opening === undefined && this.#failure === undefined;
      if (isBusy && mayOpen && open.length < connections) void this.#open();
      if (best !== undefined && hasRoom(best, bytes)) return best;
      await (best === undefined ? this.#opening : this.#changed());
      if (this.#failure === undefined || this.#lines.some(({ pipeline }) => pipeline.isOpen)) continue;
      const { error } = this.#failure;
      this.#failure = undefined;
      throw error;
    }
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #open(): Promise<void> {
    const { sessions, encryption, plain, signal } = this.#options;
    const open = plain === true ? openPlainSession : openSession;
    const opened = async (): Promise<void> => {
      const kept = sessions.take(this.#route, this.#scheme);
      const session: Session = kept ?? (await open(this.#route, this.#scheme, encryption, this.#options));
      if (signal.aborted) session.stream.reset();
      else
        this.#lines.push({
          pipeline: new Pipeline(session, headLimitMs(this.#route, this.#options)),
          requests: 0,
          bytes: 0,
        });
    };
    this.#opening = opened()
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#opening = undefined;
        this.#wake();
      });
    return this.#opening;
  }
}

/** One that is idle takes a reply of any size. */
function hasRoom({ requests, bytes }: Line, more: number): boolean {
  return requests === 0 || (requests < REQUESTS_AHEAD && bytes + more <= BYTES_AHEAD);
}
