import type { Offload, OffloadEnd, OffloadJob, OffloadedFlow } from '#src/pump/offload.js';
import { SpliceOffload } from '#src/pump/splice/offload.js';
import { systemCalls } from '#src/system/calls.js';
import { settles } from './leaks.js';

/** Moves flows by splice(2), and counts them. */
export class CountingOffload implements Offload {
  /** Flows that were handed over. */
  taken = 0;
  /** Bytes that the workers moved. */
  moved = 0;
  /** How they came back. */
  readonly ends: OffloadEnd['how'][] = [];
  /** Workers that died. */
  readonly deaths: Error[] = [];
  readonly #offload: Offload;
  readonly #lent = new Set<OffloadJob>();

  constructor(calls: Exclude<ReturnType<typeof systemCalls>, { readonly missing: string }>) {
    this.#offload = new SpliceOffload(calls, (cause) => this.deaths.push(cause));
  }

  /** Resolves once a worker runs, so that the next large flow goes to it. */
  async started(): Promise<this> {
    await settles(
      () => this.ready(),
      (ready) => ready,
      () => 'no splice worker started',
    );
    return this;
  }

  ready(): boolean {
    return this.#offload.ready();
  }

  take(job: OffloadJob): OffloadedFlow {
    this.taken += 1;
    this.#lent.add(job);
    const flow = this.#offload.take(job);
    void flow.result.then(({ toClient, toUpstream, end }) => {
      this.#lent.delete(job);
      this.moved += toClient + toUpstream;
      this.ends.push(end.how);
    });
    return flow;
  }

  /** The descriptors that the workers have now. */
  lent(): number[] {
    return [...this.#lent].flatMap(({ client, upstream }) => [client, upstream]);
  }

  close(): Promise<void> {
    return this.#offload.close();
  }
}

/** An offload by splice(2); where there is none, the name that skipped tests get. */
export function spliceOffload(): CountingOffload | { readonly missing: string } {
  const calls = systemCalls();
  return 'missing' in calls ? calls : new CountingOffload(calls);
}
