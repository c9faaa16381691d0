import { ViaductError, systemReason } from '../../errors.js';
import { type ServedFile, servedFile } from './served-file.js';

/** What files of the kernel report as their size: 0 (proc(5)), or a page (sysfs(5)). */
const NOT_SIZES = new Set([0, 4096, 16_384, 65_536]);

/** The largest file of unknown size that is served: it is held in memory. */
const UNSIZED_BYTES = 1024 * 1024;

/** Readings of a file whose times change during each of them and whose size does not; lxcfs reports the present time. */
const READINGS = 3;

/** A file as it is to be served. */
export interface Measured {
  readonly file: ServedFile;
  /** All of it, if its size is not what it reports. */
  readonly content?: Buffer;
}

/**
 * Finds out whether the size of a file is what it reports, and reads it to its end if it may not be. The content of a
 * file of the kernel may be different at each reading, so all of a reply has to come from one. An ordinary file that
 * was changed during the reading is served as it is by now.
 * @throws ViaductError READ_FAILED, also if the size is not what it reports and more than 1 MiB
 */
export async function measured(opened: ServedFile): Promise<Measured> {
  const { handle } = opened;
  let file = opened;
  try {
    for (let reading = 1; ; reading += 1) {
      if (!NOT_SIZES.has(file.size)) return { file };
      const content = await readWhole(file);
      if (content?.length === file.size) return { file };
      const now = servedFile(handle, await handle.stat({ bigint: true }));
      if (now.size !== file.size) return { file: now };
      if (now.version === file.version || reading === READINGS) return asContent(file, content);
      file = now;
    }
  } catch (error) {
    if (error instanceof ViaductError) throw error;
    const message = `the file cannot be read: ${systemReason(error)}`;
    throw new ViaductError('READ_FAILED', message, { cause: error });
  }
}

function asContent(file: ServedFile, content: Buffer | undefined): Measured {
  if (content !== undefined) return { file, content };
  throw new ViaductError('READ_FAILED', `the file reports ${file.size} bytes, but has more than 1 MiB`);
}

/** Undefined if there is more than is held in memory. */
async function readWhole({ handle, size }: ServedFile): Promise<Buffer | undefined> {
  let bytes = Buffer.allocUnsafe(size + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
    length += bytesRead;
    if (bytesRead === 0) return bytes.subarray(0, length);
    if (length > UNSIZED_BYTES) return undefined;
    if (length === bytes.length)
      bytes = Buffer.concat([bytes, Buffer.allocUnsafe(Math.max(length, 64 * 1024))]);
  }
}
