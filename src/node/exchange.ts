import type { ViaductError } from '../errors.js';
import type { Hop } from '../route/hop.js';
import { withoutTokens } from '../route/share-link.js';
import type { NodeEvent, RequestIds, ServingEvent, StageEvent } from './events.js';

/** What a node has done since it started; live. */
export class Totals {
  connections = 0;
  requests = 0;
  completed = 0;
  failed = 0;
  #finishedBytes = 0;
  readonly #running = new Set<Exchange>();

  /** Bytes that the kernel has taken for clients, those of running requests included. */
  get bytes(): number {
    let bytes = this.#finishedBytes;
    for (const exchange of this.#running) bytes += exchange.bytes;
    return bytes;
  }

  started(exchange: Exchange): void {
    this.#running.add(exchange);
  }

  finished(exchange: Exchange): void {
    this.#running.delete(exchange);
    this.#finishedBytes += exchange.bytes;
  }
}

interface ExchangeContext {
  readonly totals: Totals;
  readonly emit: (event: NodeEvent) => void;
  /** Report stages too. */
  readonly stages: boolean;
}

/** One request and its reply: what the node reports of it, from its id to how it ended. */
export class Exchange {
  /** A byte of the final reply may have left: no other reply can follow. Set by the code that sends it. */
  replyBegun = false;
  /** Its end has been reported. */
  ended = false;
  /** Set once the head of an HTTP request is read. */
  traceId: string | undefined;
  readonly #connectionId: number;
  readonly #requestId: number;
  readonly #emit: (event: NodeEvent) => void;
  readonly #totals: Totals;
  readonly #startedAt = performance.now();
  #countBytes: () => number = () => 0;

  readonly #stages: boolean;

  constructor(connectionId: number, peer: string, { totals, emit, stages }: ExchangeContext) {
    this.#connectionId = connectionId;
    this.#requestId = totals.requests;
    this.#stages = stages;
    this.#totals = totals;
    this.#emit = emit;
    totals.requests += 1;
    totals.started(this);
    emit({ type: 'request', ...this.#ids, peer });
  }

  get #ids(): RequestIds {
    return { connectionId: this.#connectionId, requestId: this.#requestId, traceId: this.traceId };
  }

  /** Bytes of the reply that the kernel has taken for the client. */
  get bytes(): number {
    return this.#countBytes();
  }

  /** Sets the source of {@link bytes}. */
  countBytes(count: () => number): void {
    this.#countBytes = count;
  }

  stage(stage: StageEvent['stage'], detail?: () => string): void {
    if (!this.#stages) return;
    const shown = detail && ((): string => withoutTokens(detail()));
    this.#emit({ type: 'stage', ...this.#ids, stage, detail: shown });
  }

  /* What a relay passes on, and what is no right link, may have the token of one in its name. */

  serving(name: string, by: Pick<ServingEvent, 'client' | 'clientPin' | 'link'> = {}): void {
    this.#emit({ type: 'serving', ...this.#ids, name: withoutTokens(name), ...by });
  }

  relaying(name: string, nextHop: Hop): void {
    this.#emit({ type: 'relaying', ...this.#ids, name: withoutTokens(name), nextHop });
  }

  dialled(address: string, seconds: number): void {
    this.#emit({ type: 'dialled', ...this.#ids, address, seconds });
  }

  /** The connection to the next hop was kept. */
  reused(address: string): void {
    this.#emit({ type: 'dialled', ...this.#ids, address, seconds: 0, isKept: true });
  }

  /** @param isRoutine not worth a line of the log */
  completed(isRoutine = false): void {
    this.#totals.completed += 1;
    this.#emit({ type: 'completed', ...this.#ids, isRoutine, ...this.#end() });
  }

  failed(error: ViaductError): void {
    this.#totals.failed += 1;
    this.#emit({ type: 'failed', ...this.#ids, error, ...this.#end() });
  }

  #end(): { bytes: number; seconds: number } {
    const { bytes } = this;
    this.ended = true;
    this.#countBytes = () => bytes;
    this.#totals.finished(this);
    return { bytes, seconds: secondsSince(this.#startedAt) };
  }
}

/** Rounded to milliseconds. */
export function secondsSince(startedAt: number): number {
  return Math.round(performance.now() - startedAt) / 1000;
}
