import { addAbortListener } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { RETRY_MS } from '../../defaults.js';

/** The first pause; each further one in a row without progress is twice as long, up to the last. */
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 30_000;

/** How long a failed request is repeated. */
export interface RetryOptions {
  /** Consecutive retries without progress; 0: none. @default no limit */
  readonly retries?: number | undefined;
  /** Time without progress during which retries start, in ms; 0: none. @default 300,000, or no limit with `retries` */
  readonly retryTimeMs?: number | undefined;
  /** Retry also before the first reply. Such a failure usually means a wrong route. @default false */
  readonly retryConnect?: boolean | undefined;
}

/** The next attempt after a failure. */
export interface Retry {
  /** Attempts in a row without progress. */
  readonly attempt: number;
  readonly pauseMs: number;
  /** Time until no further attempt is made without progress, in ms; undefined without such a limit. */
  readonly remainingMs: number | undefined;
}

/** Counts the attempts without progress, and the time since the first of them failed. */
export class RetryLimit {
  readonly #retries: number;
  readonly #timeMs: number;
  #attempt = 0;
  #failingSince: number | undefined;

  constructor({ retries, retryTimeMs }: RetryOptions) {
    this.#retries = retries ?? Infinity;
    this.#timeMs = retryTimeMs ?? (retries === undefined ? RETRY_MS : Infinity);
  }

  /** The time begins with the next failure. */
  restartTime(): void {
    this.#failingSince = undefined;
  }

  /**
   * @param now a monotonic clock in ms
   * @returns undefined if there is no further attempt
   */
  next(hasProgress: boolean, now = performance.now()): Retry | undefined {
    this.#attempt = hasProgress ? 0 : this.#attempt + 1;
    if (hasProgress || this.#failingSince === undefined) this.#failingSince = now;
    const left = this.#failingSince + this.#timeMs - now;
    if (left <= 0 || this.#retries === 0 || this.#attempt > this.#retries) return undefined;
    const pauseMs = Math.min(pauseBefore(this.#attempt), left);
    return {
      attempt: this.#attempt,
      pauseMs: Math.round(pauseMs),
      remainingMs: left === Infinity ? undefined : left,
    };
  }
}

/** The pause before an attempt, in ms. It is random, so that the clients of one relay do not retry at the same time. */
function pauseBefore(attempt: number): number {
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

/** As {@link pause}, but ends early when something is done. */
export async function pauseUnless(
  done: Promise<void> | undefined,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  if (done === undefined) return pause(ms, signal);
  const over = new AbortController();
  const waiting = delay(ms, undefined, { signal: AbortSignal.any([signal, over.signal]) }).catch(() => {});
  await Promise.race([waiting, done]);
  over.abort();
  signal.throwIfAborted();
}

/** @throws the reason of the signal, as soon as it is aborted */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
