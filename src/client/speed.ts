import { type ErrorCode, ViaductError, asViaductError, withContext } from '../errors.js';
import { type Hop, type Route, hopError, limitHops } from '../route/hop.js';
import { MAX_HOPS, SPEED_MS } from '../defaults.js';
import { SPEED_NAME } from '../route/url.js';
import { prefixesOf } from '../route/location.js';
import { forProbes } from './http/encryption.js';
import { request } from './http/request.js';
import type { TraceOptions } from './trace.js';

/** More than any test can bring in its time, up to 1 GB/s. */
const TEST_BYTES = 1024 ** 3;

/** Of the time of a test, at its end: before it a connection still gets faster. */
const MEASURED = 0.5;

/** A link that is slower by less than this may be so by chance. */
const NOISE = 0.85;

export interface SpeedOptions extends Omit<TraceOptions, 'probes' | 'onHop'> {
  /** For all hops together, in ms. @default 8,000 */
  readonly durationMs?: number | undefined;
  readonly onSpeed?: ((speed: HopSpeed) => void) | undefined;
}

/** How fast bytes come from a hop, over all hops before it. */
export interface HopSpeed {
  /** 1 for the first hop. */
  readonly number: number;
  readonly hop: Hop;
  readonly bytesPerSecond: number;
}

/**
 * Measures how fast bytes come from each hop of a route, one after the other, with bytes that the hops make themselves.
 * @throws ViaductError TOO_MANY_HOPS; FORBIDDEN or NOT_FOUND of a hop that serves no speed tests; as {@link request}
 */
export async function measureSpeeds(route: Route, options: SpeedOptions = {}): Promise<readonly HopSpeed[]> {
  limitHops(route, options.maxHops ?? MAX_HOPS);
  const speeds: HopSpeed[] = [];
  for (const prefix of prefixesOf(route)) {
    const hop = prefix.at(-1);
    if (hop === undefined) throw new Error('a prefix has a hop');
    const durationMs = (options.durationMs ?? SPEED_MS) / route.length;
    const speed = {
      number: prefix.length,
      hop,
      bytesPerSecond: await measure(prefix, route, durationMs, options),
    };
    speeds.push(speed);
    options.onSpeed?.(speed);
  }
  return speeds;
}

/** The link that is the slowest: to this hop bytes come slower than to the one before it, and not faster to any behind it. */
export function slowestLink(speeds: readonly HopSpeed[]): HopSpeed | undefined {
  const least = Math.min(...speeds.map(({ bytesPerSecond }) => bytesPerSecond));
  return speeds.find(({ bytesPerSecond }) => bytesPerSecond * NOISE <= least);
}

/** Old nodes have no such name; others may not want to. */
const REFUSED: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'HTTP_ERROR']);

async function measure(
  prefix: Route,
  route: Route,
  durationMs: number,
  { scheme, ...options }: SpeedOptions,
): Promise<number> {
  const path = `/${SPEED_NAME}/${TEST_BYTES}`;
  const probes = forProbes({ route, scheme, path }, options);
  const reply = await request({ route: prefix, path, scheme }, { ...options, ...probes }).catch(
    (error: unknown) => {
      const known = asViaductError(error);
      if (!REFUSED.has(known.code)) throw known;
      throw withContext(known, (message) => `${message}; it knows no speed tests: an older version?`);
    },
  );
  const startedAt = performance.now();
  let from: { readonly at: number; readonly bytes: number } | undefined;
  let [bytes, lastAt] = [0, startedAt];
  const isOver = new Error('enough');
  try {
    await reply.read(async (chunk) => {
      bytes += chunk.length;
      lastAt = performance.now();
      const spentMs = lastAt - startedAt;
      if (spentMs >= durationMs * (1 - MEASURED)) from ??= { at: lastAt, bytes };
      if (spentMs >= durationMs) throw isOver;
    });
  } catch (error) {
    if (error !== isOver) throw error;
  } finally {
    reply.close();
  }
  const start = from ?? { at: startedAt, bytes: 0 };
  if (lastAt > start.at) return ((bytes - start.bytes) * 1000) / (lastAt - start.at);
  const [last] = prefix.slice(-1);
  if (last === undefined) throw new ViaductError('BAD_ROUTE', 'the route has no hop');
  throw hopError('TIMEOUT', prefix.length, last, 'sent too little to measure');
}
