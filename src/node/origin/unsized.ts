import { ViaductError, systemReason } from '../../errors.js';
import type { ServedFile } from './root.js';

/** What files of the kernel report as their size: 0 (proc(5)), or a page (sysfs(5)). */
const NOT_SIZES = new Set([0, 4096, 16_384, 65_536]);

/** The largest file of unknown size that is served: it is held in memory. */
const UNSIZED_BYTES = 1024 * 1024;

/**
 * The content of a file whose size is not what it reports, read to its end; undefined for other files. It may be
 * different at each reading, so all of a reply has to come from one.
 * @throws ViaductError READ_FAILED, also if it is larger than 1 MiB
 */
export async function readUnsized({ handle, size }: ServedFile): Promise<Buffer | undefined> {
  if (!NOT_SIZES.has(size)) return undefined;
  try {
    let bytes = Buffer.allocUnsafe(size + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      length += bytesRead;
      if (bytesRead === 0) return length === size ? undefined : bytes.subarray(0, length);
      if (length > UNSIZED_BYTES) break;
      if (length === bytes.length)
        bytes = Buffer.concat([bytes, Buffer.allocUnsafe(Math.max(length, 64 * 1024))]);
    }
  } catch (error) {
    const message = `the file cannot be read: ${systemReason(error)}`;
    throw new ViaductError('READ_FAILED', message, { cause: error });
  }
  throw new ViaductError('READ_FAILED', `the file reports ${size} bytes, but has more than 1 MiB`);
}
