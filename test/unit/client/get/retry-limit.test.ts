import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryLimit, type RetryOptions } from '#src/client/get/retry.js';

/** Attempts that fail at once: how many are made, and when the last one starts, in ms. */
function pursue(options: RetryOptions): { readonly attempts: number; readonly last: number } {
  const limit = new RetryLimit(options);
  let now = 1000;
  for (let attempts = 0; ; attempts += 1) {
    const retry = limit.next(false, now);
    if (retry === undefined) return { attempts, last: now - 1000 };
    now += retry.pauseMs;
  }
}

test('an outage of five minutes does not end a transfer', () => {
  assert.equal(pursue({}).last, 300_000);
  assert.ok(pursue({}).attempts >= 10);
});

test('--retry and --retry-time: each limits, alone or together, and 0 is none', () => {
  assert.equal(pursue({ retryTimeMs: 60_000 }).last, 60_000);
  assert.equal(pursue({ retries: 50 }).attempts, 50);
  assert.equal(pursue({ retries: 3, retryTimeMs: 60_000 }).attempts, 3);
  assert.equal(pursue({ retries: 50, retryTimeMs: 2000 }).last, 2000);
  assert.equal(pursue({ retries: 0 }).attempts, 0);
  assert.equal(pursue({ retryTimeMs: 0 }).attempts, 0);
});

test('progress begins the time and the count anew', () => {
  const limit = new RetryLimit({ retries: 1, retryTimeMs: 10_000 });
  assert.equal(limit.next(false, 0)?.remainingMs, 10_000);
  assert.deepEqual(
    [limit.next(true, 9000)?.attempt, limit.next(false, 18_000)?.remainingMs, limit.next(false, 18_500)],
    [0, 1000, undefined],
  );
});
