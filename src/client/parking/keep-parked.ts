import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type ViaductError, asViaductError } from '../../errors.js';
import type { Route } from '../../route/hop.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import { PARKING_TIMES, type ParkingTimes } from '../../wire/parking.js';
import { type ControlOptions, holdControl, openControl } from './control.js';
import { type ReadyConnection, firstOfRequest, openReady } from './ready.js';

/** Pauses between attempts, in ms: each as long again as the one before, and a random part of it less. */
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 15_000;

/** A parking that lasted so long was a success: the pauses begin anew. Longer than them, for two nodes with one key. */
const SETTLED_MS = 20_000;

/** Connecting to the first hop: short, since a packet that is lost is sent again after 1, 3 and 7 s. A proxy may be slow. */
const CONNECT_MS = 5000;
const PROXY_CONNECT_MS = 20_000;

/** Connections that wait here; a relay asks for 4, and for more during a burst. */
const READY_MAX = 128;

export interface ParkOptions extends ControlOptions {
  /** Serves a request that comes over a connection of this node; `begin` is what was read of it. */
  readonly serve: (stream: ByteStream, begin: Buffer) => void;
  readonly onEvent?: ((event: ParkEvent) => void) | undefined;
  /** Ends it: connections that wait are closed, and those in use go on. */
  readonly signal: AbortSignal;
  /** For tests. */
  readonly times?: ParkingTimes | undefined;
}

export type ParkEvent =
  /** The node can be reached over the relay. */
  | { readonly type: 'parked' }
  /** It cannot, or no longer; the next attempt comes after so many ms. */
  | { readonly type: 'lost'; readonly error: ViaductError; readonly pauseMs: number }
  /** A connection that the relay wanted was not opened. */
  | { readonly type: 'not-opened'; readonly error: ViaductError };

/**
 * Keeps a node parked at the last hop of a route until the signal: connects again after every failure, with pauses that grow.
 * Never rejects.
 */
export async function keepParked(route: Route, options: ParkOptions): Promise<void> {
  const { signal, onEvent = () => {} } = options;
  let longest = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    const startedAt = performance.now();
    const error = await parkOnce(route, options).catch((failure: unknown) => asViaductError(failure));
    if (signal.aborted || error === undefined) return;
    if (performance.now() - startedAt > SETTLED_MS) longest = FIRST_PAUSE_MS;
    const pauseMs = Math.round(longest * (0.5 + Math.random() / 2));
    longest = Math.min(LAST_PAUSE_MS, longest * 2);
    onEvent({ type: 'lost', error, pauseMs });
    await delay(pauseMs, undefined, { signal }).catch(() => {});
  }
}

/** @returns why the parking ended; undefined at the signal */
async function parkOnce(route: Route, options: ParkOptions): Promise<ViaductError | undefined> {
  const { serve, onEvent = () => {}, signal, times = PARKING_TIMES, encryption } = options;
  const link = { connectTimeoutMs: options.proxy === undefined ? CONNECT_MS : PROXY_CONNECT_MS, ...options };
  const control = await openControl(route, link);
  onEvent({ type: 'parked' });
  const ended = new AbortController();
  const over = AbortSignal.any([ended.signal, signal]);
  setMaxListeners(0, over); // Each connection that is being opened listens.
  let waiting = 0;
  let opening = 0;
  const open = async (token: string): Promise<void> => {
    if (opening + waiting >= READY_MAX) return;
    opening += 1;
    let ready: ReadyConnection;
    try {
      ready = await openReady(route, token, encryption, { ...link, signal: over });
    } catch (failure) {
      if (!over.aborted) onEvent({ type: 'not-opened', error: asViaductError(failure) });
      return;
    } finally {
      opening -= 1;
    }
    waiting += 1;
    const request = await firstOfRequest(ready, over);
    waiting -= 1;
    if (request !== undefined) serve(ready.stream, request);
  };
  try {
    return await holdControl(route, control, { times, signal, open: (token) => void open(token) });
  } finally {
    ended.abort();
  }
}
