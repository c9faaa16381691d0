import { ViaductError, withContext } from '../../errors.js';
import type { Location } from '../../route/location.js';
import { forProbes } from '../http/encryption.js';
import type { RequestOptions } from '../http/request.js';
import { failureIn, traceRoute } from '../trace.js';

/**
 * Finds out why a transfer broke in the middle of its body. The client only sees that no more bytes come, so
 * it traces the route: the error of the first hop that fails now is the most likely reason.
 * @param error the error that the client saw; returned unchanged if it is of another kind
 */
export async function explainBreak(
  error: unknown,
  location: Location,
  { bytes, size }: { readonly bytes: number; readonly size: number },
  options: Pick<
    RequestOptions,
    'timeoutMs' | 'connectTimeoutMs' | 'maxHops' | 'proxy' | 'signal' | 'plain' | 'encryption'
  >,
): Promise<unknown> {
  const { route, scheme } = location;
  const sender = options.plain === true ? 1 : route.length;
  if (!(error instanceof ViaductError) || error.hopNumber !== sender) return error;
  if (error.code !== 'CUT_SHORT' && error.code !== 'TIMEOUT') return error;
  const how = error.code === 'TIMEOUT' ? 'timed out' : 'broke';
  const where = `the chain ${how} after ${bytes} of ${size} bytes`;
  const hops = await traceRoute(route, { ...options, ...forProbes(location, options), scheme, probes: 1 });
  const failure = failureIn(hops);
  // The error names a hop that answers again: no hop is to blame.
  if (failure === undefined)
    return new ViaductError(error.code, `${where}, but all hops answer now`, { cause: error });
  return withContext(failure, (message) => `${message}: ${where}`, { cause: error });
}
