import { SILENCE_MS } from '../../defaults.js';
import { ViaductError } from '../../errors.js';
import type { Sink } from '../../files/destination.js';
import { formatHop } from '../../route/hop.js';
import type { Source } from '../../route/input-file.js';
import { receive } from '../../tcp/receive.js';
import { encodeMessage } from '../../wire/classic.js';
import { type ConnectOptions, connectTo, splitRoute } from '../first-hop.js';

export interface FetchOptions extends ConnectOptions {
  /** No data for so long is an error, in ms. @default 10,000 */
  readonly timeoutMs?: number | undefined;
  /** Called with `progress` after each chunk that the sink has taken. */
  readonly onEvent?: ((event: FetchEvent) => void) | undefined;
}

/** As the event `progress` of `get`; the classic wire does not tell the size. */
export interface FetchEvent {
  readonly type: 'progress';
  /** So far. */
  readonly bytes: number;
}

export interface FetchResult {
  readonly bytes: number;
  /** Since the call. */
  readonly seconds: number;
}

/**
 * Fetches a file over a route on the classic wire and passes its bytes to `sink` as they arrive.
 * Resolves after a clean end. What the sink has taken before an error is not a whole file.
 *
 * @throws ViaductError MESSAGE_TOO_LONG, TOO_MANY_HOPS, BAD_ROUTE before anything is dialled; DNS_ERROR,
 *   REFUSED, UNREACHABLE, CONNECT_TIMEOUT, TIMEOUT, CUT_SHORT; the sink's error; the signal's reason
 */
export async function fetchFile(
  source: Source,
  sink: Sink,
  options: FetchOptions = {},
): Promise<FetchResult> {
  const startedAt = performance.now();
  const { first, left } = splitRoute(source.route, options);
  const request = encodeMessage({ name: source.name, route: left });
  const { signal = new AbortController().signal, timeoutMs = SILENCE_MS } = options;
  const stream = await connectTo(first, { ...options, signal });
  stream.write(request);
  const hopAddress = formatHop(first);
  const details = { hopAddress, hopNumber: 1 };
  await receive(stream, {
    take: async (chunk) => {
      await sink(chunk);
      options.onEvent?.({ type: 'progress', bytes: stream.received });
      return false;
    },
    timeoutMs,
    signal,
    late: () => {
      const message = `timeout: no data for ${timeoutMs / 1000} s from hop 1 (${hopAddress}), after ${stream.received} bytes`;
      return new ViaductError('TIMEOUT', message, details);
    },
    gone: () => {
      const missing =
        stream.received === 0
          ? ', the last hop has no such file, a node serves only in TLS (--tls-only; use get) or lets only clients with a key read (--access keys; use get), or a node has reached its limit of connections (--max-connections) or of hops (--max-hops)'
          : '';
      const message = `hop 1 (${hopAddress}) reset the connection after ${stream.received} bytes: the chain broke there or beyond${missing}`;
      return new ViaductError('CUT_SHORT', message, { ...details, cause: stream.error });
    },
    end: () => stream.leave(),
    ended: () => undefined, // A clean end is the sign of a whole file.
  });
  return { bytes: stream.received, seconds: (performance.now() - startedAt) / 1000 };
}
