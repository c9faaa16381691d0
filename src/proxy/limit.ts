import type { Signal } from '../signal.js';
import { MAX_TIMER_MS } from '../defaults.js';

/**
 * Runs steps that share one limit, and hands them a signal that ends them: with `late()` after the limit, or with the reason
 * of `signal`.
 */
export async function withinLimit<T>(
  timeoutMs: number,
  signal: Signal,
  late: () => Error,
  act: (signal: Signal) => Promise<T>,
): Promise<T> {
  // Not AbortSignal.any(), as in tcp/dial.ts.
  const end = new AbortController();
  const forward = (): void => end.abort(signal.reason);
  signal.addEventListener('abort', forward, { once: true });
  if (signal.aborted) forward();
  const timer = setTimeout(() => end.abort(late()), Math.min(timeoutMs, MAX_TIMER_MS));
  try {
    return await act(end.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', forward);
  }
}
