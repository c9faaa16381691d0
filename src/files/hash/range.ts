import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { hex } from '../../text.js';
import { open } from '../fs.js';
import { type ByteRanges, addRange } from '../ranges.js';

const BLOCK_BYTES = 1024 * 1024;

/** The parts of an open file whose SHA-256, as base64, is not this one. @param partBytes size of each part but the last */
export async function differingParts(
  file: FileHandle,
  size: number,
  partBytes: number,
  digests: readonly string[],
): Promise<ByteRanges> {
  let differing: ByteRanges = [];
  for (const [index, expected] of digests.entries()) {
    const start = index * partBytes;
    const end = Math.min(start + partBytes, size);
    if ((await digestOfRange(file, start, end)) !== expected) differing = addRange(differing, { start, end });
  }
  return differing;
}

/** SHA-256 in hexadecimal of the file at a path. @throws system errors */
export async function sha256OfFile(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return hex(await digestOfRange(file, 0, size));
  } finally {
    await file.close();
  }
}

/** SHA-256, as base64, of the bytes of an open file from `start` up to, but not including, `end`. */
async function digestOfRange(file: FileHandle, start: number, end: number): Promise<string> {
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, end - start));
  for (let at = start; at < end;) {
    const { bytesRead } = await file.read(block, 0, Math.min(block.length, end - at), at);
    if (bytesRead === 0) throw new Error('the file was truncated');
    hash.update(block.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest('base64');
}
