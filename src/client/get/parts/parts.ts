import { asViaductError } from '../../../errors.js';
import type { Destination } from '../../../files/destination.js';
import type { Version } from '../../../files/version.js';
import { traceparent } from '../../../wire/http/trace-context.js';
import type { SharedOptions } from '../options.js';
import type { FileRoute, Routes } from '../routes.js';
import { recordedSource } from '../source.js';
import { Lanes, type LanesOptions } from './lanes.js';
import { type Claim, PartQueue } from './queue.js';

/** Smaller files, and rests of files, come over one connection. */
const PARTS_FROM_BYTES = 1024 * 1024;

export interface PartsOptions extends Omit<LanesOptions, 'queue' | 'write' | 'bytes'> {
  readonly to: Destination;
  readonly version: Version;
  readonly routes: Routes;
  /** A round trip over the route, in ms. */
  readonly roundTripMs: number;
  /** Bytes were written. */
  readonly onBytes: (bytes: number) => void;
}

type Wanted = Omit<PartsOptions, 'to' | 'version' | 'sessions' | 'encryption' | 'traced' | 'connections'> &
  Pick<SharedOptions, 'segments' | 'sessions' | 'encryption'>;

/** Undefined if a file is not worth it, or cannot be fetched in parts. */
export function partsFor(to: Destination, options: Wanted): Parts | undefined {
  const { version, restartable, bytes } = to;
  const { sessions, encryption, segments, routes } = options;
  if (version?.etag === undefined || !restartable || version.size - bytes < PARTS_FROM_BYTES)
    return undefined;
  if (sessions === undefined || encryption === undefined) return undefined;
  if (segments === 1 && routes.others.length === 0) return undefined;
  const traced = traceparent(routes.current.origin.traceId);
  return new Parts({ ...options, sessions, encryption, to, version, traced, connections: segments });
}

/** The parts of one version of a file: those that a main stream brings from the beginning, and those that lanes bring. */
export class Parts {
  readonly #queue: PartQueue;
  readonly #lanes: Lanes;
  readonly #to: Destination;
  readonly #onBytes: (bytes: number) => void;
  #writing: Promise<void> = Promise.resolve();
  #checking = 0;

  constructor(options: PartsOptions) {
    const { to, version, routes, connections, roundTripMs } = options;
    this.#to = to;
    this.#onBytes = options.onBytes;
    this.#queue = new PartQueue(version.size, to.ranges);
    this.#lanes = new Lanes({ ...options, queue: this.#queue, write: this.write, bytes: () => to.bytes });
    const { location } = routes.current;
    this.#lanes.add({ location, version }, (connections ?? 1) - 1);
    for (const other of routes.others) void this.#add(other, options);
    if (connections === undefined) this.#lanes.grow(roundTripMs);
  }

  /** What the main stream is to bring, from the end of what is there on. */
  claim(): Claim {
    this.#lanes.restoreMain();
    return this.#queue.claimFrom(this.#to.contiguousBytes);
  }

  /** Writes bytes that the main stream has brought. */
  async wrote(claim: Claim, piece: Buffer): Promise<void> {
    await this.write(piece, claim.at);
    this.#queue.wrote(claim, piece.length);
    this.#lanes.countMain(piece.length);
  }

  /** The main stream brings no more of it. */
  give(claim: Claim): void {
    this.#queue.give(claim);
  }

  /** Leaves the rest to lanes. Resolves when all is there, or no lane is left. */
  async rest(): Promise<void> {
    this.#lanes.replaceMain();
    while (this.#checking > 0 && !this.#queue.isComplete) await this.#queue.changed();
    await this.#lanes.idle();
  }

  /** Resolves when all is there, if that happens before it is closed. */
  async complete(): Promise<void> {
    while (!this.#queue.isComplete) await this.#queue.changed();
  }

  close(): void {
    this.#lanes.close();
  }

  readonly write = async (piece: Buffer, position: number): Promise<void> => {
    const before = this.#writing;
    const writing = before.then(() => this.#to.write(piece, position));
    this.#writing = writing.catch(() => {}); // Of the one who waits for it.
    await writing;
    this.#onBytes(piece.length);
  };

  async #add(route: FileRoute, options: PartsOptions): Promise<void> {
    const { routes, version, connections, signal } = options;
    this.#checking += 1;
    try {
      const found = await routes.versionAt(route, version);
      this.#lanes.add({ location: route.location, version: found }, connections ?? 1);
    } catch (error) {
      if (signal.aborted) return;
      const known = asViaductError(error);
      const location = recordedSource(route.location);
      options.onEvent?.({ type: 'route-failed', location, error: known });
    } finally {
      this.#checking -= 1;
      this.#queue.wake();
    }
  }
}
