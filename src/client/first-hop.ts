import { CONNECT_MS, MAX_HOPS } from '../defaults.js';
import { ViaductError, withContext } from '../errors.js';
import { type HostHop, type Route, formatHop, hopLabel, isParked, limitHops } from '../route/hop.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import { type Dialler, TcpDialler } from '../tcp/dial.js';
import type { ProxyConfig } from '../proxy/config.js';
import { ProxyDialler } from '../proxy/dialler.js';

export interface ConnectOptions {
  /** Dialling the first hop, look-up and proxy included, in ms. @default 20,000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Hops of a route. @default 16 */
  readonly maxHops?: number | undefined;
  /** The first hop is dialled over it. The environment is read only by `proxyFromEnvironment`. @default none */
  readonly proxy?: ProxyConfig | undefined;
  /** Ends the connection; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** @throws ViaductError BAD_ROUTE without a hop or with a parked node as the first, TOO_MANY_HOPS */
export function splitRoute(
  route: Route,
  { maxHops = MAX_HOPS }: ConnectOptions,
): { readonly first: HostHop; readonly left: Route } {
  const [first, ...left] = route;
  if (first === undefined) throw new ViaductError('BAD_ROUTE', 'the route has no hop');
  if (isParked(first)) {
    const name = formatHop(first);
    throw new ViaductError(
      'BAD_ROUTE',
      `${name} cannot be the first hop; write the node where it is parked in front of it: h1:12000/@${name}/`,
    );
  }
  limitHops(route, maxHops);
  return { first, left };
}

/**
 * Connects to the first hop of a route, the one place where a client does. The user may dial any host; the policy is
 * for relays.
 * @param except an address that was tried before
 * @throws ViaductError of {@link Dialler.dial} or {@link ProxyDialler.dial}; the signal's reason
 */
export async function connectTo(
  hop: HostHop,
  { connectTimeoutMs = CONNECT_MS, proxy, signal = new AbortController().signal }: ConnectOptions,
  except?: string,
): Promise<ByteStream> {
  // One for each call: names of different requests do not wait for each other.
  const dialler: Dialler = proxy === undefined ? new TcpDialler() : new ProxyDialler(proxy);
  try {
    return await dialler.dial(hop, { label: hopLabel(1, hop), timeoutMs: connectTimeoutMs, except, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw withContext(error, (message) => message, { hopNumber: 1 });
  }
}
