import type { ViaductError } from '../errors.js';
import type { Hop } from '../route/hop.js';
import type { NodeEvent } from './events.js';

/** What a node has done since it started. */
export interface Totals {
  accepted: number;
  completed: number;
  failed: number;
  bytes: number;
}

/** One request and its reply, as the node tells of it: from its number to how it ended. */
export class Transfer {
  /** Bytes that the kernel has taken for the client. */
  bytes = 0;
  /** How it ended has been told. */
  ended = false;
  readonly #number: number;
  readonly #emit: (event: NodeEvent) => void;
  readonly #totals: Totals;
  readonly #startedAt = performance.now();

  constructor(peer: string, totals: Totals, emit: (event: NodeEvent) => void) {
    this.#number = totals.accepted++;
    this.#totals = totals;
    this.#emit = emit;
    emit({ type: 'accepted', connection: this.#number, peer });
  }

  serving(name: string): void {
    this.#emit({ type: 'serving', connection: this.#number, name });
  }

  relaying(name: string, nextHop: Hop): void {
    this.#emit({ type: 'relaying', connection: this.#number, name, nextHop });
  }

  dialled(address: string, seconds: number): void {
    this.#emit({ type: 'dialled', connection: this.#number, address, seconds });
  }

  completed(): void {
    this.ended = true;
    this.#totals.completed += 1;
    this.#emit({ type: 'completed', connection: this.#number, ...this.#figures() });
  }

  failed(error: ViaductError): void {
    this.ended = true;
    this.#totals.failed += 1;
    this.#emit({ type: 'failed', connection: this.#number, error, ...this.#figures() });
  }

  #figures(): { bytes: number; seconds: number } {
    this.#totals.bytes += this.bytes;
    return { bytes: this.bytes, seconds: secondsSince(this.#startedAt) };
  }
}

/** Rounded to milliseconds. */
export function secondsSince(startedAt: number): number {
  return Math.round(performance.now() - startedAt) / 1000;
}
