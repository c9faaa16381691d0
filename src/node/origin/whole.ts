import { mayBegin } from './growth.js';
import { type ServedFile, versionOf } from './served-file.js';

/**
 * All bytes of a small file.
 * @returns undefined if it was changed meanwhile, but for growth
 * @throws system errors
 */
export async function wholeOf(file: ServedFile): Promise<Buffer | undefined> {
  const { handle, size, version } = file;
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let at = 0; at < size;) {
    const { bytesRead } = await handle.read(bytes, at, size - at, at);
    if (bytesRead === 0) return undefined;
    at += bytesRead;
  }
  const now = versionOf(await handle.stat({ bigint: true }));
  return now === version || mayBegin(now, version) ? bytes : undefined;
}
