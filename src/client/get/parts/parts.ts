import { asViaductError } from '../../../errors.js';
import type { Destination, Sink } from '../../../files/destination.js';
import type { Version } from '../../../files/version.js';
import { traceparent } from '../../../wire/http/trace-context.js';
import type { SharedOptions } from '../options.js';
import type { FileRoute, Routes } from '../routes.js';
import { recordedSource } from '../source.js';
import { Lanes } from './lanes.js';
import type { LanesOptions } from './options.js';
import { TakenOver } from './part-request.js';
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
  Pick<SharedOptions, 'segments' | 'sessions' | 'encryption'> & {
    /** Also if little is left, and over one connection. */
    readonly always: boolean;
  };

/** Undefined if a file is not worth it, or cannot be fetched in parts. */
export function partsFor(to: Destination, options: Wanted): Parts | undefined {
  const { version, restartable, bytes } = to;
  const { sessions, encryption, routes, always } = options;
  const segments = options.segments ?? (always ? 1 : undefined);
  if (version?.etag === undefined || !restartable) return undefined;
  if (sessions === undefined || encryption === undefined) return undefined;
  const isSmall = version.size - bytes < PARTS_FROM_BYTES;
  const isOne = segments === 1 && routes.others.length === 0;
  if ((isSmall || isOne) && !always) return undefined;
  const traced = traceparent(routes.current.origin.traceId);
  return new Parts({ ...options, sessions, encryption, to, version, traced, connections: segments });
}

/** The parts of one version of a file: those that a main stream brings from the beginning, and those that lanes bring. */
export class Parts {
  readonly #queue: PartQueue;
  readonly #lanes: Lanes;
  readonly #to: Destination;
  readonly #size: number;
  readonly #routes: Routes;
  readonly #onBytes: (bytes: number) => void;
  #writing: Promise<void> = Promise.resolve();
  #checking = 0;
  #isClosed = false;

  constructor(options: PartsOptions) {
    const { to, version, routes, connections, roundTripMs } = options;
    this.#to = to;
    this.#size = version.size;
    this.#routes = routes;
    this.#onBytes = options.onBytes;
    this.#queue = new PartQueue(version.size, to.ranges);
    this.#lanes = new Lanes({ ...options, queue: this.#queue, write: this.write, bytes: () => to.bytes });
    const { location } = routes.current;
    this.#lanes.add({ location, version }, (connections ?? 1) - 1);
    for (const other of routes.others) void this.#add(other, options);
    if (connections === undefined) this.#lanes.grow(roundTripMs);
  }

  /**
   * Has the main stream bring what is missing from a position on, up to where lanes have begun, and these the rest.
   * @param from where its first byte belongs
   * @param read reads the stream
   * @param leave ends it early
   */
  async bring(from: number, read: (sink: Sink) => Promise<void>, leave: () => void): Promise<void> {
    this.#lanes.restoreMain();
    const claim = this.#queue.claimFrom(from);
    let position = from;
    let isLeft = false;
    // It may be silent where others bring the rest.
    void this.complete().then(() => {
      if (position >= this.#size) return;
      isLeft = true;
      leave();
    });
    const checkNeeded = async (): Promise<void> => {
      if (claim.left <= 0 && !(await this.#goesOn(claim))) throw new TakenOver();
    };
    try {
      await read(async (chunk) => {
        for (let rest = chunk; rest.length > 0;) {
          await checkNeeded();
          const start = Math.min(rest.length, claim.at - position);
          if (start > 0) claim.activeAt = performance.now();
          const wanted = rest.subarray(start, start + claim.left);
          if (wanted.length > 0) {
            await this.write(wanted, claim.at);
            this.#queue.wrote(claim, wanted.length);
            this.#lanes.countMain(wanted.length);
          }
          position += start + wanted.length;
          rest = rest.subarray(start + wanted.length);
        }
        if (claim.at < this.#size) await checkNeeded();
      });
    } catch (error) {
      if (!(error instanceof TakenOver) && !isLeft) throw error;
      leave();
    } finally {
      this.#queue.give(claim);
    }
    if (!this.#queue.isComplete) await this.rest();
  }

  /**
   * Whether the main stream is needed where its claim ends. Usually a lane then takes its place; but if its route gets no further
   * lane, as when the file was deleted, it goes on, also past what is there. A part that is coming then is waited for.
   */
  async #goesOn(claim: Claim): Promise<boolean> {
    for (;;) {
      if (this.#queue.extend(claim)) return true;
      const { location } = this.#routes.current;
      if (this.#queue.isComplete || claim.at >= this.#size || !this.#lanes.isOut(location)) return false;
      this.#queue.passDone(claim);
      if (this.#queue.extend(claim)) return true;
      await this.#queue.changed();
    }
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

  /** Ends the lanes. When it resolves, nothing more is written. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#lanes.close();
    await this.#writing;
  }

  readonly write = async (piece: Buffer, position: number): Promise<void> => {
    const writing = this.#writing.then(() => {
      if (this.#isClosed) throw new TakenOver();
      return this.#to.write(piece, position);
    });
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
