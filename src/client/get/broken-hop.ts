import { ViaductError } from '../../errors.js';
import type { Location } from '../../route/location.js';
import type { RequestOptions } from '../http/request.js';
import { failureIn, traceRoute } from '../trace.js';

/**
 * What broke a transfer in the middle of its body, where all that can be seen is that hop 1 sends no more:
 * the first hop that is down by now, with its own reason.
 * @param error what was seen; returned if it is nothing of that kind
 */
export async function explainBreak(
  error: unknown,
  { route }: Location,
  { bytes, size }: { readonly bytes: number; readonly size: number },
  options: Pick<RequestOptions, 'timeoutMs' | 'connectTimeoutMs' | 'maxHops' | 'signal'>,
): Promise<unknown> {
  if (!(error instanceof ViaductError) || error.hopNumber !== 1) return error;
  if (error.code !== 'CUT_SHORT' && error.code !== 'TIMEOUT') return error;
  const how = error.code === 'TIMEOUT' ? 'fell silent' : 'broke';
  const where = `the chain ${how} after ${bytes} of ${size} bytes`;
  const hops = await traceRoute(route, { ...options, probes: 1 });
  const failure = failureIn(hops);
  if (failure === undefined) {
    const message = `${where}, though every hop of it answers now`;
    return new ViaductError(error.code, message, { cause: error });
  }
  const { code, message, hopAddress, hopNumber } = failure;
  return new ViaductError(code, `${message}: ${where}`, { hopAddress, hopNumber, cause: error });
}
