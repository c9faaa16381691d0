import { writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** Writes a whole chunk to a file or device at its current position. A write to a device may take any time. */
export async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, at, chunk.length - at);
    at += bytesWritten;
  }
}

/**
 * Writes a whole chunk to a regular file, on this thread: the kernel only copies the bytes, which takes less time for
 * 256 KiB than handing them to another thread (measured).
 */
export function writeAllSync(file: FileHandle, chunk: Buffer, position: number): void {
  for (let at = 0; at < chunk.length;) {
    at += writeSync(file.fd, chunk, at, chunk.length - at, position + at);
  }
}
