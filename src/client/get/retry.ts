import { addAbortListener } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** The first pause; each further one in a row without progress is twice as long, up to the last. */
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 30_000;

/** The pause before an attempt, in ms. It is random, so that the clients of one relay do not retry at the same time. */
export function pauseBefore(attempt: number): number {
  return Math.min(RETRY_FIRST_MS * 2 ** attempt, RETRY_LAST_MS) * (0.5 + Math.random() / 2);
}

/**
 * The result of work that cannot be aborted itself. After an abort its result is ignored.
 * @throws the reason of the signal, as soon as it is aborted
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const listener = addAbortListener(signal, () => reject(signal.reason));
    void work.then(resolve, reject).finally(() => listener[Symbol.dispose]());
  });
}

/** @throws the reason of the signal, as soon as it is aborted */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
