import { ViaductError, withContext } from '../../errors.js';
import type { Location } from '../../route/location.js';
import type { RequestOptions } from '../http/request.js';
import { failureIn, traceRoute } from '../trace.js';

/**
 * Finds out why a transfer broke in the middle of its body. The client only sees that hop 1 sends no more bytes, or in
 * a tunnel the last hop, so it traces the route: the error of the first hop that fails now is the most likely reason.
 * The trace is not encrypted: it only asks for the status of each hop.
 * @param error the error that the client saw; returned unchanged if it is of another kind
 */
export async function explainBreak(
  error: unknown,
  { route }: Location,
  { bytes, size }: { readonly bytes: number; readonly size: number },
  {
    timeoutMs,
    connectTimeoutMs,
    maxHops,
    signal,
  }: Pick<RequestOptions, 'timeoutMs' | 'connectTimeoutMs' | 'maxHops' | 'signal'>,
): Promise<unknown> {
  if (!(error instanceof ViaductError)) return error;
  if (error.hopNumber !== 1 && error.hopNumber !== route.length) return error;
  if (error.code !== 'CUT_SHORT' && error.code !== 'TIMEOUT') return error;
  const how = error.code === 'TIMEOUT' ? 'timed out' : 'broke';
  const where = `the chain ${how} after ${bytes} of ${size} bytes`;
  const hops = await traceRoute(route, { timeoutMs, connectTimeoutMs, maxHops, signal, probes: 1 });
  const failure = failureIn(hops);
  // The hop that the error names answers again: no hop is to blame.
  if (failure === undefined)
    return new ViaductError(error.code, `${where}, but all hops answer now`, { cause: error });
  return withContext(failure, (message) => `${message}: ${where}`, { cause: error });
}
