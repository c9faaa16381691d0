import type { Phase, TransferView } from './layout.js';
import { visible } from '../../text.js';
import { RateMeter } from '../../client/rate.js';

/** A change of a transfer; members that are left out stay as they were. */
export interface TransferUpdate {
  readonly phase?: Phase;
  /**
   * Bytes of the file so far. An increase in the phase `downloading` counts for the rate; bytes that a resumed
   * transfer finds on disk are set in another phase.
   */
  readonly bytes?: number;
  readonly size?: number | undefined;
  readonly retries?: number;
  /** Length of the phase `waiting`, in ms. */
  readonly waitMs?: number;
  /** Time until the transfer fails without progress, in ms; undefined without such a limit. */
  readonly giveUpMs?: number | undefined;
  /** The last hop that has answered a probe during the present silence; 0: none. */
  readonly answeredHop?: number;
  /** What each of several routes has brought so far, in bytes. */
  readonly routes?: readonly {
    readonly location: string;
    readonly connections: number;
    readonly bytes: number;
  }[];
}

/** The progress of one transfer. `now` is a monotonic clock in ms, here and below. */
export class TransferProgress {
  readonly #name: string;
  readonly #overall: OverallProgress;
  readonly #startedAt: number;
  readonly #rate: RateMeter;
  #phase: Phase = 'connecting';
  #waitsUntil = 0;
  #givesUpAt: number | undefined;
  /** Of the last data or change of phase. */
  #activeAt: number;
  #answeredHop = 0;
  readonly #routes = new Map<string, RouteRate>();
  bytes = 0;
  size: number | undefined;
  retries = 0;

  constructor(name: string, overall: OverallProgress, now: number) {
    this.#name = name;
    this.#overall = overall;
    this.#startedAt = now;
    this.#activeAt = now;
    this.#rate = new RateMeter(now);
    overall.files += 1;
  }

  update(
    {
      phase = this.#phase,
      bytes = this.bytes,
      size = this.size,
      retries = this.retries,
      waitMs,
      giveUpMs,
      answeredHop = this.#answeredHop,
      routes = [],
    }: TransferUpdate,
    now: number,
  ): void {
    for (const route of routes) this.#route(route.location, now).update(route.connections, route.bytes);
    this.#answeredHop = answeredHop;
    if (phase !== this.#phase || bytes > this.bytes) {
      this.#activeAt = now;
      this.#answeredHop = 0;
    }
    if (phase === 'downloading') {
      if (this.#phase !== phase) this.#rate.restart(now);
      this.#count(bytes - this.bytes);
      if (bytes > this.bytes) this.#givesUpAt = undefined;
    }
    if (waitMs !== undefined) {
      this.#waitsUntil = now + waitMs;
      this.#givesUpAt = giveUpMs === undefined ? undefined : now + giveUpMs;
    }
    this.#phase = phase;
    this.bytes = bytes;
    this.size = size;
    this.retries = retries;
  }

  #route(location: string, now: number): RouteRate {
    const known = this.#routes.get(location) ?? new RouteRate(now);
    this.#routes.set(location, known);
    return known;
  }

  #count(bytes: number): void {
    // Fewer than before: the transfer starts over.
    if (bytes <= 0) return;
    this.#rate.add(bytes);
    this.#overall.rate.add(bytes);
  }

  view(now: number): TransferView {
    return {
      name: this.#name,
      phase: this.#phase,
      bytes: this.bytes,
      size: this.size,
      rate: this.#phase === 'downloading' ? this.#rate.at(now) : 0,
      elapsed: (now - this.#startedAt) / 1000,
      wait: (this.#waitsUntil - now) / 1000,
      idle: (now - this.#activeAt) / 1000,
      answeredHop: this.#answeredHop,
      giveUp: this.#givesUpAt === undefined ? undefined : (this.#givesUpAt - now) / 1000,
      retries: this.retries,
      routes: Array.from(this.#routes, ([location, route]) => ({
        location: visible(location),
        connections: route.connections,
        rate: route.rate.at(now),
      })),
    };
  }
}

/** What one route brings. */
class RouteRate {
  readonly rate: RateMeter;
  connections = 0;
  #bytes = 0;

  constructor(now: number) {
    this.rate = new RateMeter(now);
  }

  update(connections: number, bytes: number): void {
    this.connections = connections;
    this.rate.add(bytes - this.#bytes);
    this.#bytes = bytes;
  }
}

/** The progress of all transfers together, including finished ones. */
export class OverallProgress {
  readonly rate: RateMeter;
  readonly #startedAt: number;
  readonly #finished = { files: 0, bytes: 0, retries: 0 };
  #expectedFiles: number | undefined;
  #expectedBytes: number | undefined;
  /** Number of transfers that were added. */
  files = 0;

  constructor(now: number) {
    this.rate = new RateMeter(now);
    this.#startedAt = now;
  }

  expect(files: number, bytes: number | undefined): void {
    this.#expectedFiles = files;
    this.#expectedBytes = bytes;
  }

  finish({ bytes, retries }: TransferProgress): void {
    this.#finished.files += 1;
    this.#finished.bytes += bytes;
    this.#finished.retries += retries;
  }

  /** Undefined for a single file, whose own line is enough. */
  view(running: readonly TransferProgress[], now: number): TransferView | undefined {
    const files = this.#expectedFiles ?? this.files;
    if (files < 2) return undefined;
    let { bytes, retries } = this.#finished;
    let size: number | undefined = bytes;
    for (const transfer of running) {
      bytes += transfer.bytes;
      retries += transfer.retries;
      if (transfer.size === undefined) size = undefined;
      else if (size !== undefined) size += transfer.size;
    }
    return {
      name: `${this.#finished.files}/${files} files`,
      phase: 'downloading',
      bytes,
      size: this.#expectedFiles === undefined ? size : this.#expectedBytes,
      rate: this.rate.at(now),
      elapsed: (now - this.#startedAt) / 1000,
      wait: 0,
      giveUp: undefined,
      idle: 0,
      answeredHop: 0,
      retries,
    };
  }
}
