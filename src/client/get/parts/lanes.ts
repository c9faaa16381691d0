import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { asViaductError } from '../../../errors.js';
import type { Location } from '../../../route/location.js';
import { headLimitMs } from '../../http/secure.js';
import { openPlainSession, openSession } from '../../http/session.js';
import type { Session } from '../../http/sessions.js';
import { recordedSource } from '../source.js';
import { grow } from './growth.js';
import { Lane } from './lane.js';
import type { WritePart } from './part-request.js';
import type { LanesOptions, PartRoute } from './options.js';

/** A connection that could not be opened, or broke, is opened again after this pause. */
const PAUSE_MS = 1000;
/** So many failures in a row, and the route gets no further connection. */
const FAILURES = 5;

interface RouteState {
  readonly route: PartRoute;
  readonly lanes: Set<Lane>;
  /** Lanes that are wanted. */
  wanted: number;
  opening: number;
  failures: number;
  /** It gets no further lane. */
  isOut: boolean;
  bytes: number;
}

/** Lanes are being opened, or bring their last parts. */
function isChanging({ opening, lanes }: RouteState): boolean {
  return opening > 0 || [...lanes].some(({ isStopping }) => isStopping);
}

/** The connections that fetch parts of a file beside the one that brings it from its beginning, over one route or several. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #routes: RouteState[] = [];
  readonly #ended = new AbortController();
  readonly #nudge: NodeJS.Timeout;
  readonly #pauses = new Set<NodeJS.Timeout>();
  #changed: (() => void)[] = [];
  /** The main stream is one of the connections of the first route, while there is one. */
  #mainStreams = 1;

  constructor(options: LanesOptions) {
    this.#options = options;
    // Each connection that is being opened adds a listener and removes it. Node warns about more than 10.
    setMaxListeners(0, this.#ended.signal);
    this.#nudge = setInterval(() => {
      // A slow part may be asked for again after some time.
      options.queue.wake();
      this.#report();
    }, PAUSE_MS);
    options.signal.addEventListener('abort', this.#aborted);
  }

  /** Bytes come over so many connections, the main one not counted. */
  get open(): number {
    return this.#routes.reduce((sum, { lanes }) => sum + lanes.size, 0);
  }

  /** The route gets no further lane. */
  isOut(location: Location): boolean {
    const state = this.#routes.find(({ route }) => route.location === location);
    return state?.isOut === true && !this.#ended.signal.aborted;
  }

  /** Something is being fetched, or is about to be. */
  get isActive(): boolean {
    return this.#routes.some(({ lanes, opening }) => lanes.size + opening > 0);
  }

  /**
   * Adds a route, with lanes at once.
   * @param lanes besides the main stream
   */
  add(route: PartRoute, lanes: number): void {
    const state = {
      route,
      lanes: new Set<Lane>(),
      wanted: lanes,
      opening: 0,
      failures: 0,
      isOut: false,
      bytes: 0,
    };
    this.#routes.push(state);
    this.#fill(state);
  }

  /** The main stream has brought bytes. */
  countMain(bytes: number): void {
    const [first] = this.#routes;
    if (first !== undefined) first.bytes += bytes;
  }

  #report(): void {
    const routes = this.#routes.map(({ route, lanes, bytes }, index) => ({
      location: recordedSource(route.location),
      connections: lanes.size + (index === 0 ? this.#mainStreams : 0),
      bytes,
    }));
    const connections = routes.reduce((sum, each) => sum + each.connections, 0);
    if (connections > 1) this.#options.onEvent?.({ type: 'routes', routes });
  }

  /** Opens further connections while they pay. @param roundTripMs as for {@link grow} */
  grow(roundTripMs: number): void {
    const { bytes } = this.#options;
    const setConnections = async (count: number): Promise<void> => {
      const each = Math.ceil(count / Math.max(1, this.#routes.length));
      for (const [index, state] of this.#routes.entries()) {
        state.wanted = index === 0 ? each - this.#mainStreams : each;
        this.#fill(state);
      }
      while (this.#routes.some(isChanging) && !this.#ended.signal.aborted)
        await new Promise<void>((resolve) => this.#changed.push(resolve));
    };
    grow({ bytes, setConnections, roundTripMs, wait: this.#wait }).catch(() => {}); // It was ended.
  }

  /** The main stream has ended: a lane takes its place. */
  replaceMain(): void {
    const [first] = this.#routes;
    if (this.#mainStreams === 0 || first === undefined) return;
    this.#mainStreams = 0;
    first.wanted += 1;
    this.#fill(first);
  }

  /** There is a main stream again. */
  restoreMain(): void {
    const [first] = this.#routes;
    if (this.#mainStreams === 1 || first === undefined) return;
    this.#mainStreams = 1;
    first.wanted = Math.max(0, first.wanted - 1);
  }

  readonly #wait = (ms: number): Promise<void> => delay(ms, undefined, { signal: this.#ended.signal });

  /** Resolves when all is there, or no lane is left. */
  async idle(): Promise<void> {
    while (this.isActive && !this.#options.queue.isComplete && !this.#ended.signal.aborted)
      await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  close(): void {
    const { signal } = this.#options;
    signal.removeEventListener('abort', this.#aborted);
    clearInterval(this.#nudge);
    for (const timer of this.#pauses) clearTimeout(timer);
    this.#ended.abort();
    for (const { lanes } of this.#routes) for (const lane of lanes) lane.abort(signal.reason);
    this.#wake();
  }

  readonly #aborted = (): void => this.close();

  #wake(): void {
    for (const wake of this.#changed.splice(0)) wake();
    this.#options.queue.wake();
  }

  #fill(state: RouteState): void {
    const { lanes, wanted, route } = state;
    if (this.#ended.signal.aborted || state.isOut) return;
    const going = [...lanes].filter(({ isStopping }) => !isStopping);
    for (const lane of going.slice(Math.max(0, wanted))) lane.stop();
    for (let more = wanted - going.length - state.opening; more > 0; more -= 1) {
      state.opening += 1;
      this.#open(route)
        .then(
          (session) => {
            state.opening -= 1;
            this.#run(state, session);
          },
          (error: unknown) => {
            state.opening -= 1;
            this.#failed(state, error);
          },
        )
        .finally(() => this.#wake());
    }
  }

  async #open({ location: { route, scheme = 'http' } }: PartRoute): Promise<Session> {
    const { sessions, encryption, plain } = this.#options;
    const open = plain === true ? openPlainSession : openSession;
    const signal = this.#ended.signal;
    return sessions.take(route, scheme) ?? open(route, scheme, encryption, { ...this.#options, signal });
  }

  #run(state: RouteState, session: Session): void {
    const { queue, traced, sessions } = this.#options;
    const write: WritePart = async (piece, position) => {
      await this.#options.write(piece, position);
      state.bytes += piece.length;
    };
    if (this.#ended.signal.aborted) return session.stream.reset();
    const { location, version } = state.route;
    const limitMs = headLimitMs(location.route, this.#options);
    const connections = (): number => this.open + 1;
    const lane = new Lane(session, { location, version, queue, write, traced, connections, limitMs });
    state.lanes.add(lane);
    this.#wake();
    lane
      .run()
      .then(
        (kept) => {
          state.failures = 0;
          if (kept !== undefined) sessions.give(kept);
          state.lanes.delete(lane);
          if (!queue.isComplete) this.#fill(state);
        },
        (error: unknown) => {
          state.lanes.delete(lane);
          this.#failed(state, error);
        },
      )
      .finally(() => this.#wake());
  }

  #failed(state: RouteState, error: unknown): void {
    if (this.#ended.signal.aborted) return;
    const known = asViaductError(error);
    state.failures += 1;
    // It counts as opening meanwhile: whoever waits for the parts waits for it too.
    if (!known.transient || state.failures > FAILURES) {
      state.wanted = 0;
      state.isOut = true;
      // On the first route the main stream goes on, which says itself what becomes of it.
      if (state === this.#routes[0]) return;
      const location = recordedSource(state.route.location);
      this.#options.onEvent?.({ type: 'route-failed', location, error: known });
      return;
    }
    state.opening += 1;
    const again = (): void => {
      this.#pauses.delete(timer);
      state.opening -= 1;
      this.#fill(state);
      this.#wake();
    };
    const timer = setTimeout(again, PAUSE_MS);
    this.#pauses.add(timer);
  }
}
