import { setTimeout as delay } from 'node:timers/promises';

/** The pause before an attempt: the first, doubled for each one in a row that brought nothing, up to the last. */
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 30_000;

/** The pause before an attempt, in ms: it grows, and differs from that of others who wait for the same relay. */
export function pauseBefore(attempt: number): number {
  return Math.min(RETRY_FIRST_MS * 2 ** attempt, RETRY_LAST_MS) * (0.5 + Math.random() / 2);
}

/**
 * What work comes to. If the signal comes first, nobody hears of the rest.
 * @throws the signal's reason, as soon as there is one
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}

/** @throws the signal's reason, as soon as there is one */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
