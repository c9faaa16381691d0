import type { Version } from '../../../files/version.js';
import type { Location } from '../../../route/location.js';
import type { Field } from '../../../wire/http/head.js';
import { Pipeline } from '../../http/pipeline.js';
import type { Session } from '../../http/sessions.js';
import { PartRequest, TakenOver, type WritePart } from './part-request.js';
import type { Claim, PartQueue } from './queue.js';

/** Parts that are asked for on one connection: the next one is on its way when one is done. */
const PARTS_AHEAD = 2;

/** The first part, and the largest one. It is doubled while a part takes less than this time, so that a request costs little. */
const FIRST_PART_BYTES = 512 * 1024;
const LARGEST_PART_BYTES = 8 * 1024 * 1024;
const PART_MS = 1000;

export interface LaneOptions {
  readonly location: Location;
  readonly version: Version;
  readonly queue: PartQueue;
  readonly write: WritePart;
  readonly traced: Field;
  /** Connections that share what is left. */
  readonly connections: () => number;
  /** Silence that is an error, in ms. */
  readonly limitMs: number;
}

/** One connection that fetches parts of a file, until none is left or it is told to stop. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #pipeline: Pipeline;
  readonly #claims = new Map<Claim, Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  isStopping = false;
  #partBytes = FIRST_PART_BYTES;
  #stop: () => void = () => {};

  constructor(session: Session, options: LaneOptions) {
    this.#options = options;
    this.#pipeline = new Pipeline(session, options.limitMs);
  }

  /** Takes no further part; those under way are brought to their end. */
  stop(): void {
    this.isStopping = true;
    this.#stop();
  }

  /** Ends at once. */
  abort(reason: unknown): void {
    this.stop();
    this.#pipeline.end(reason);
  }

  /**
   * @returns the connection, if it can be used further
   * @throws ViaductError of the connection or of what came over it
   */
  async run(): Promise<Session | undefined> {
    const { queue, connections } = this.#options;
    const stopped = new Promise<void>((resolve) => (this.#stop = resolve));
    while (this.#failure === undefined && !queue.isComplete) {
      while (this.#claims.size < PARTS_AHEAD && !this.isStopping) {
        const claim = queue.claim(connections(), this.#partBytes, this);
        if (claim === undefined) break;
        this.#ask(claim);
      }
      const waiting = [...this.#claims.values()];
      if (waiting.length === 0 && this.isStopping) break;
      const more = this.isStopping ? [] : [queue.changed(), stopped];
      await Promise.race([...waiting, ...more]);
    }
    const failure = this.#failure;
    if (failure !== undefined && !(failure.error instanceof TakenOver)) throw failure.error;
    return this.#pipeline.end(new TakenOver());
  }

  #ask(claim: Claim): void {
    const { location, version, queue, write, traced } = this.#options;
    const request = new PartRequest(location, version, { queue, claim, write, traced });
    const [bytes, askedAt] = [claim.left, performance.now()];
    const asked = this.#pipeline.send(request).catch((error: unknown) => {
      this.#failure ??= { error };
    });
    const ended = asked.then(() => {
      this.#claims.delete(claim);
      queue.give(claim);
      const isFast = performance.now() - askedAt < PART_MS && bytes >= this.#partBytes;
      if (isFast) this.#partBytes = Math.min(2 * this.#partBytes, LARGEST_PART_BYTES);
    });
    this.#claims.set(claim, ended);
  }
}
