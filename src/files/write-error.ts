import { ViaductError, systemReason } from '../errors.js';
import { visible } from '../text.js';

/** WRITE_FAILED for a path. */
export function writeError(path: string, reason: string, cause?: unknown): ViaductError {
  return new ViaductError('WRITE_FAILED', `cannot write ${visible(path)}: ${reason}`, { cause });
}

/** Runs an action. System errors become WRITE_FAILED for `path`; a {@link ViaductError} is thrown as it is. */
export async function withWriteErrors<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ViaductError) throw error;
    throw writeError(path, systemReason(error), error);
  }
}
