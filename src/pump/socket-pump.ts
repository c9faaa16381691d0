import { OFFLOAD_BYTES } from '../defaults.js';
import { SystemCallError } from '../system/library.js';
import { asViaductError } from '../errors.js';
import type { Reading } from '../tcp/byte-stream.js';
import { Gathered } from '../tcp/gathered.js';
import { Watchdog } from '../tcp/watchdog.js';
import { type Departure, Forwarder, type ForwarderEvents } from './forwarder.js';
import { NOTHING_MOVED, type Offload, type OffloadResult, type OffloadedFlow } from './offload.js';
import type { Flow, FlowFailure, FlowResult, MovedBytes, Pump, RunningFlow } from './pump.js';

/** The pump that works everywhere: Node's sockets, one reused buffer a flow, back-pressure by pausing. */
export const socketPump: Pump = (flow) => new SocketFlow(flow, undefined, OFFLOAD_BYTES).start();

/**
 * The same, but large flows are moved outside of Node.
 * @param from bytes, both ways, from which on a flow is large
 */
export function offloadingPump(offload: Offload, from = OFFLOAD_BYTES): Pump {
  return (flow) => new SocketFlow(flow, offload, from).start();
}

/** One flow, from its first byte to its result. */
class SocketFlow implements RunningFlow {
  readonly result: Promise<FlowResult>;
  readonly #flow: Flow;
  readonly #offload: Offload | undefined;
  #resolve: (result: FlowResult) => void = () => {};
  readonly #down: Forwarder;
  readonly #up: Forwarder | undefined;
  #watchdogs: readonly Watchdog[] = [];
  #forgetClose: readonly (() => void)[] = [];
  /** Drops or keeps the client's input in `reply` mode. */
  #input: Reading | undefined;
  #kept: Gathered | undefined;
  /** Set while the bytes are moved outside of Node. */
  #offloaded: OffloadedFlow | undefined;
  /** It is to be reset as soon as the offloaded flow has ended. */
  #aborting = false;
  /** Bytes, both ways, from which on it is large. */
  #largeFrom: number;
  #over = false;

  constructor(flow: Flow, offload: Offload | undefined, from: number) {
    const { client, upstream, mode, length, findEnd, keep } = flow;
    this.#flow = flow;
    // A reply whose end has to be looked for passes through Node.
    this.#offload = findEnd === undefined ? offload : undefined;
    if (keep !== undefined) this.#kept = new Gathered(flow.fromClient);
    this.#largeFrom = from;
    this.result = new Promise((resolve) => (this.#resolve = resolve));
    const departure: Departure | undefined = this.#offload && { isDue: this.#isDue, depart: this.#depart };
    const events: ForwarderEvents = {
      ended: this.#ended,
      short: () => this.#fail('upstream', 'CUT_SHORT'),
      malformed: (error) => this.#fail('upstream', 'BAD_REPLY', asViaductError(error)),
    };
    const extent = { length, findEnd, staysOpen: keep !== undefined };
    this.#down = new Forwarder(upstream, client, events, extent, departure);
    if (mode === 'duplex') this.#up = new Forwarder(client, upstream, { ended: this.#ended }, {}, departure);
  }

  get moved(): MovedBytes {
    const { toClient, toUpstream } = this.#offloaded?.moved ?? NOTHING_MOVED;
    return { toClient: this.#down.sent + toClient, toUpstream: (this.#up?.sent ?? 0) + toUpstream };
  }

  start(): this {
    const { client, upstream, signal, fromClient, fromUpstream } = this.#flow;
    this.#watchdogs = this.#watch();
    this.#forgetClose = [client.onClose(this.#clientClosed), upstream.onClose(this.#upstreamClosed)];
    signal.addEventListener('abort', this.#aborted);
    if (signal.aborted) this.#aborted();
    else if (client.closed) this.#clientClosed();
    else if (upstream.closed) this.#upstreamClosed();
    if (this.#over) return this;
    if (!this.#up) this.#input = client.attach({ take: this.#takeInput, end: () => {} });
    this.#down.start(fromUpstream);
    // A short reply may have ended the flow already.
    if (this.#over) return this;
    if (this.#up) this.#up.start(fromClient);
    else this.#resumeInput();
    return this;
  }

  readonly #takeInput = (chunk: Buffer): boolean => {
    this.#kept?.add(chunk);
    return this.#wantsInput;
  };

  get #wantsInput(): boolean {
    return this.#kept === undefined || this.#kept.length < (this.#flow.keep ?? Infinity);
  }

  #resumeInput(): void {
    if (this.#wantsInput) this.#input?.resume();
  }

  #watch(): Watchdog[] {
    const { silenceMs, stall } = this.#flow;
    const [down, up] = [this.#down, this.#up];
    const inNode = (figure: () => number | undefined) => (): number | undefined =>
      this.#offloaded ? undefined : figure();
    const silent = new Watchdog(silenceMs, inNode(this.#silence), () =>
      this.#fail(down.sourceEnded ? 'client' : 'upstream', 'TIMEOUT'),
    );
    const stalled = new Watchdog(
      stall,
      inNode(() => down.waitingToWrite),
      () => this.#fail('client', 'STALLED'),
    );
    if (!up) return [silent, stalled];
    const stuck = new Watchdog(
      stall,
      inNode(() => up.waitingToWrite),
      () => this.#fail('upstream', 'STALLED'),
    );
    return [silent, stalled, stuck];
  }

  /**
   * Progress while nothing but a source is waited for. In `duplex` mode whatever arrives from either side is progress;
   * a side that takes nothing is the stall limit's.
   */
  readonly #silence = (): number | undefined => {
    const [down, up] = [this.#down, this.#up];
    if (!up) return down.waitingToRead;
    if (down.waitingToWrite !== undefined || up.waitingToWrite !== undefined) return undefined;
    if (down.sourceEnded && up.sourceEnded) return undefined;
    return this.#flow.client.received + this.#flow.upstream.received;
  };

  readonly #ended = (): void => {
    const { upstream } = this.#flow;
    if (!this.#down.ended || (this.#up && !this.#up.ended)) return;
    this.#settle(undefined);
    // Upstream has sent all that is wanted of it; this sends our FIN.
    if (!this.#up && this.#kept === undefined) upstream.leave();
  };

  #fail(side: FlowFailure['side'], code: FlowFailure['code'], cause?: Error): void {
    const clientEnded = this.#up?.sourceEnded === true;
    this.#settle({ side, code, cause, ...(clientEnded && { clientEnded }) });
    this.#flow.client.reset();
    this.#flow.upstream.reset();
  }

  /** A large flow leaves Node with the next chunk of a source, when Node holds nothing of it. */
  readonly #isDue = (reading: Reading, taken: boolean): boolean => {
    const isLarge = this.#sent >= this.#largeFrom && this.#wanted >= OFFLOAD_BYTES;
    if (!isLarge || !this.#offload?.ready()) return false;
    reading.shrink(taken);
    return true;
  };

  readonly #depart = (): void => {
    if (this.#over) return;
    const { client, upstream, silenceMs, stall } = this.#flow;
    this.#largeFrom = 2 * this.#sent;
    const idle = this.#down.idle && (this.#up?.idle ?? true);
    const fds = idle
      ? { client: client.detachDescriptor(this.#recall), upstream: upstream.detachDescriptor(this.#recall) }
      : {};
    if (this.#offload === undefined || fds.client === undefined || fds.upstream === undefined) {
      this.#reattach(0, 0);
      return this.#continue();
    }
    const up = this.#up !== undefined && !this.#up.sourceEnded;
    const job = { client: fds.client, upstream: fds.upstream, down: this.#down.wanted, up, silenceMs, stall };
    this.#offloaded = this.#offload.take({ ...job, keepInput: this.#kept !== undefined });
    this.#flow.onOffload?.();
    void this.#offloaded.result.then(this.#return);
  };

  readonly #return = (result: OffloadResult): void => {
    const { toClient, toUpstream, restForClient, restForUpstream, end } = result;
    this.#offloaded = undefined;
    this.#down.moved(toClient);
    this.#up?.moved(toUpstream);
    this.#reattach(toUpstream + (restForUpstream?.length ?? 0), toClient + (restForClient?.length ?? 0));
    if (this.#over) return;
    // After this the flow is worth another departure when it has doubled.
    this.#largeFrom = 2 * this.#sent;
    if (this.#aborting) return this.#fail('client', 'ABORTED');
    // They were closed meanwhile, and what the pipes held is gone.
    if (this.#flow.client.closed) return this.#clientClosed();
    if (this.#flow.upstream.closed) return this.#upstreamClosed();
    switch (end.how) {
      case 'returned':
        return this.#continue(restForClient, restForUpstream);
      case 'failed': {
        const cause = end.errno === undefined ? undefined : new SystemCallError('splice', end.errno);
        return this.#fail(end.side, end.code, cause);
      }
      case 'lost':
        return this.#fail('upstream', 'INTERNAL', end.cause);
    }
  };

  /** @param fromClient bytes that were received meanwhile */
  #reattach(fromClient: number, fromUpstream: number): void {
    this.#flow.client.reattach(fromClient);
    this.#flow.upstream.reattach(fromUpstream);
  }

  /** A side is to be closed. */
  readonly #recall = (): void => this.#offloaded?.abort();

  #continue(restForClient?: Uint8Array, restForUpstream?: Uint8Array): void {
    this.#down.continue(restForClient);
    if (this.#up) this.#up.continue(restForUpstream);
    else this.#resumeInput();
  }

  /** Bytes that are still to come at most, both ways. */
  get #wanted(): number {
    return this.#down.wanted + (this.#up?.wanted ?? 0);
  }

  /** Bytes moved, both ways, those of a running offload not included. */
  get #sent(): number {
    return this.#down.sent + (this.#up?.sent ?? 0);
  }

  #settle(failure: FlowFailure | undefined): void {
    this.#over = true;
    for (const watchdog of this.#watchdogs) watchdog.stop();
    for (const forget of this.#forgetClose) forget();
    this.#down.stop();
    this.#up?.stop();
    this.#input?.detach();
    this.#flow.signal.removeEventListener('abort', this.#aborted);
    const ends = { ...this.moved, failure };
    if (this.#kept === undefined) return this.#resolve(ends);
    this.#resolve({ ...ends, kept: this.#kept.bytes, hasExcess: this.#down.hasExcess });
  }

  readonly #aborted = (): void => {
    if (this.#offloaded === undefined) return this.#fail('client', 'ABORTED');
    this.#aborting = true;
    this.#offloaded.abort();
  };

  readonly #clientClosed = (): void => this.#fail('client', 'CLIENT_GONE', this.#flow.client.error);

  readonly #upstreamClosed = (): void => {
    // In reply mode FIN has been seen and only the client is waited for: nothing is lost.
    if (this.#down.sourceEnded && !this.#up) return;
    this.#fail('upstream', 'CUT_SHORT', this.#flow.upstream.error);
  };
}
