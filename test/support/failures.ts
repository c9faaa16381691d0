import assert from 'node:assert/strict';
import { type ErrorCode, ViaductError } from 'viaduct';

/** The ViaductError that a promise rejects with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<ViaductError> {
  const error = await promise.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof ViaductError) return error;
  throw error;
}

/** As {@link failureOf}, for one that throws; undefined if it does not. */
export function thrownBy(act: () => unknown): ViaductError | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof ViaductError) return error;
    throw error;
  }
  return undefined;
}

/** The code of what is thrown, or `allowed`. */
export function codeOf(act: () => unknown): ErrorCode | 'allowed' {
  return thrownBy(act)?.code ?? 'allowed';
}
