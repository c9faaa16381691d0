import type { Sink } from '../../files/destination.js';
import { ViaductError } from '../../errors.js';
import { CONNECT_MS, MAX_HOPS, SILENCE_MS } from '../../defaults.js';
import { dial } from '../../tcp/dial.js';
import { Resolver } from '../../tcp/resolver.js';
import { type Source } from '../../route/input-file.js';
import { formatHop, hopLabel, limitHops } from '../../route/hop.js';
import { encodeMessage } from '../../wire/classic.js';
import { receive } from '../../tcp/receive.js';

export interface FetchOptions {
  /** No data for so long is an error, in ms. @default 10,000 */
  readonly timeoutMs?: number | undefined;
  /** Dialling the first hop, look-up included, in ms. @default 20,000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Hops of a route. @default 16 */
  readonly maxHops?: number | undefined;
  /** Ends the transfer; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Told after each chunk that the sink has taken. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface Progress {
  /** Bytes so far. */
  readonly bytes: number;
  /** Since the call. */
  readonly seconds: number;
}

/**
 * Fetches a file over a route on the classic wire and hands its bytes to `sink` as they come.
 * Resolves after a clean end. What the sink has taken before an error is not a whole file.
 *
 * @throws ViaductError MESSAGE_TOO_LONG, TOO_MANY_HOPS, BAD_ROUTE before anything is dialled; DNS_ERROR,
 *   REFUSED, UNREACHABLE, CONNECT_TIMEOUT, TIMEOUT, CUT_SHORT; the sink's error; the signal's reason
 */
export async function fetchFile(source: Source, sink: Sink, options: FetchOptions = {}): Promise<Progress> {
  const startedAt = performance.now();
  const [firstHop, ...route] = source.route;
  if (firstHop === undefined) throw new ViaductError('BAD_ROUTE', 'the route has no hop');
  limitHops(source.route, options.maxHops ?? MAX_HOPS);
  const request = encodeMessage({ name: source.name, route });
  const signal = options.signal ?? new AbortController().signal;
  const channel = await dial(firstHop, {
    label: hopLabel(1, firstHop),
    timeoutMs: options.connectTimeoutMs ?? CONNECT_MS,
    signal,
    resolver: new Resolver(),
    client: '',
    permit: () => {}, // The user may dial whom he likes; policy is for relays.
  });
  channel.socket.write(request);
  const progress = (): Progress => ({
    bytes: channel.received,
    seconds: (performance.now() - startedAt) / 1000,
  });
  const hop = formatHop(firstHop);
  const timeoutMs = options.timeoutMs ?? SILENCE_MS;
  await receive(channel, {
    take: async (chunk) => {
      await sink(chunk);
      options.onProgress?.(progress());
      return false;
    },
    timeoutMs,
    signal,
    late: () => {
      const message = `no data for ${timeoutMs / 1000} s from hop 1 (${hop}), after ${channel.received} bytes`;
      return new ViaductError('TIMEOUT', message, { hopAddress: hop });
    },
    gone: () => {
      const missing = channel.received === 0 ? ', or the last hop has no such file' : '';
      const message = `hop 1 (${hop}) reset the connection after ${channel.received} bytes: the chain broke there or beyond${missing}`;
      return new ViaductError('CUT_SHORT', message, { hopAddress: hop, cause: channel.error });
    },
    ended: () => undefined, // A clean end is the sign of a whole file.
  });
  return progress();
}
