import { OFFLOAD_BYTES } from '../defaults.js';
import { SystemCallError } from '../system/library.js';
import type { Channel } from '../tcp/stream.js';
import { Forwarder, type Leave } from './forwarder.js';
import type { Lease, Offload, Outcome } from './offload.js';
import type { Flow, FlowFailure, FlowResult, Pump } from './pump.js';
import { Watchdog } from '../tcp/watchdog.js';

/** The pump that works everywhere: Node sockets, one reused buffer a flow, back-pressure by pausing. */
export const portablePump: Pump = (flow) => pumpFlow(flow);

/**
 * The same, but large flows are moved outside of Node.
 * @param from bytes, both ways, from which on a flow is large
 */
export function offloadingPump(offload: Offload, from = OFFLOAD_BYTES): Pump {
  return (flow) => pumpFlow(flow, offload, from);
}

function pumpFlow(flow: Flow, offload?: Offload, from = OFFLOAD_BYTES): Promise<FlowResult> {
  return new Promise((resolve) => new RunningFlow(flow, offload, from, resolve).start());
}

/** One flow, from its first byte to its result. */
class RunningFlow {
  readonly #flow: Flow;
  readonly #offload: Offload | undefined;
  readonly #resolve: (result: FlowResult) => void;
  readonly #down: Forwarder;
  readonly #up: Forwarder | undefined;
  #watchdogs: readonly Watchdog[] = [];
  /** Set while somebody else moves the bytes. */
  #lease: Lease | undefined;
  /** It is to be reset as soon as the lease has ended. */
  #aborting = false;
  /** Bytes, both ways, from which on it is large. */
  #largeFrom: number;
  #over = false;

  constructor(flow: Flow, offload: Offload | undefined, from: number, resolve: (result: FlowResult) => void) {
    const { client, upstream, mode, length } = flow;
    this.#flow = flow;
    this.#offload = offload;
    this.#largeFrom = from;
    this.#resolve = resolve;
    const short = (): void => this.#fail('upstream', 'CUT_SHORT');
    this.#down = new Forwarder(upstream, client, this.#ended, short, length, this.#leave(upstream));
    if (mode === 'duplex')
      this.#up = new Forwarder(client, upstream, this.#ended, this.#ended, Infinity, this.#leave(client));
  }

  start(): void {
    const { client, upstream, signal, fromClient, fromUpstream } = this.#flow;
    this.#watchdogs = this.#watch();
    client.socket.on('close', this.#clientClosed);
    upstream.socket.on('close', this.#upstreamClosed);
    signal.addEventListener('abort', this.#aborted);
    if (signal.aborted) return this.#aborted();
    if (client.socket.destroyed) return this.#clientClosed();
    if (upstream.socket.destroyed) return this.#upstreamClosed();
    this.#down.start(fromUpstream);
    if (this.#up) return this.#up.start(fromClient);
    client.consumer = () => true;
    client.resume();
  }

  #watch(): Watchdog[] {
    const { silenceMs, stallMs } = this.#flow;
    const [down, up] = [this.#down, this.#up];
    const unlessLent = (figure: () => number | undefined) => (): number | undefined =>
      this.#lease ? undefined : figure();
    const silent = new Watchdog(
      silenceMs,
      unlessLent(() => down.waitingToRead),
      () => this.#fail('upstream', 'TIMEOUT'),
    );
    const stalled = new Watchdog(
      stallMs,
      unlessLent(() => down.waitingToWrite),
      () => this.#fail('client', 'STALLED'),
    );
    if (!up) return [silent, stalled];
    const stuck = new Watchdog(
      stallMs,
      unlessLent(() => up.waitingToWrite),
      () => this.#fail('upstream', 'STALLED'),
    );
    return [silent, stalled, stuck];
  }

  readonly #ended = (): void => {
    const { upstream } = this.#flow;
    if (!this.#down.ended || (this.#up && !this.#up.ended)) return;
    this.#settle(undefined);
    // Upstream has sent all that is wanted of it; this sends our FIN.
    if (!this.#up) upstream.finish(() => upstream.socket.destroy());
  };

  #fail(side: FlowFailure['side'], code: FlowFailure['code'], cause?: Error): void {
    this.#settle({ side, code, cause });
    this.#flow.client.reset();
    this.#flow.upstream.reset();
  }

  /** A large flow leaves Node with the next chunk of `source`, when nothing of it is in Node's hands. */
  #leave(source: Channel): Leave {
    const leaves = (taken: boolean): boolean => {
      const isLarge = this.#moved >= this.#largeFrom && this.#wanted >= OFFLOAD_BYTES;
      if (!isLarge || !this.#offload?.ready()) return false;
      source.prepareToLend(taken);
      return true;
    };
    return { leaves, now: this.#lend };
  }

  readonly #lend = (): void => {
    if (this.#over) return;
    const { client, upstream, silenceMs, stallMs } = this.#flow;
    this.#largeFrom = 2 * this.#moved;
    const idle = this.#down.idle && (this.#up?.idle ?? true);
    const lent = idle ? { client: client.lend(), upstream: upstream.lend() } : {};
    if (this.#offload === undefined || lent.client === undefined || lent.upstream === undefined) {
      return this.#goOn();
    }
    const up = this.#up !== undefined && !this.#up.sourceEnded;
    const fds = { client: lent.client, upstream: lent.upstream };
    this.#lease = this.#offload.take({ ...fds, down: this.#down.wanted, up, silenceMs, stallMs });
    void this.#lease.outcome.then(this.#reclaim);
  };

  readonly #reclaim = ({ toClient, toUpstream, restForClient, restForUpstream, end }: Outcome): void => {
    this.#lease = undefined;
    if (this.#over) return;
    this.#down.moved(toClient);
    this.#up?.moved(toUpstream);
    this.#flow.upstream.received += toClient + (restForClient?.length ?? 0);
    this.#flow.client.received += toUpstream + (restForUpstream?.length ?? 0);
    // After this the flow is worth another lease when it has doubled.
    this.#largeFrom = 2 * this.#moved;
    if (this.#aborting) return this.#fail('client', 'ABORTED');
    switch (end.how) {
      case 'returned':
        return this.#goOn(restForClient, restForUpstream);
      case 'failed': {
        const cause = end.errno === undefined ? undefined : new SystemCallError('splice', end.errno);
        return this.#fail(end.side, end.code, cause);
      }
      case 'lost':
        return this.#fail('upstream', 'INTERNAL', end.cause);
    }
  };

  #goOn(restForClient?: Uint8Array, restForUpstream?: Uint8Array): void {
    this.#flow.client.reclaim();
    this.#flow.upstream.reclaim();
    this.#down.goOn(restForClient);
    if (this.#up) this.#up.goOn(restForUpstream);
    else this.#flow.client.resume();
  }

  /** Bytes that are still to come at most, both ways. */
  get #wanted(): number {
    return this.#down.wanted + (this.#up?.wanted ?? 0);
  }

  get #moved(): number {
    return this.#down.sent + (this.#up?.sent ?? 0);
  }

  #settle(failure: FlowFailure | undefined): void {
    const { client, upstream, signal } = this.#flow;
    this.#over = true;
    for (const watchdog of this.#watchdogs) watchdog.stop();
    client.socket.off('close', this.#clientClosed);
    upstream.socket.off('close', this.#upstreamClosed);
    signal.removeEventListener('abort', this.#aborted);
    this.#resolve({ toClient: this.#down.sent, toUpstream: this.#up?.sent ?? 0, failure });
  }

  readonly #aborted = (): void => {
    if (this.#lease === undefined) return this.#fail('client', 'ABORTED');
    this.#aborting = true;
    this.#lease.abort();
  };

  readonly #clientClosed = (): void => this.#fail('client', 'CLIENT_GONE', this.#flow.client.error);

  readonly #upstreamClosed = (): void => {
    // In reply mode FIN has been seen and only the client is waited for: nothing is lost.
    if (this.#down.sourceEnded && !this.#up) return;
    this.#fail('upstream', 'CUT_SHORT', this.#flow.upstream.error);
  };
}
