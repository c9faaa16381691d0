import type { Hash } from 'node:crypto';
import { readSync } from 'node:fs';

const BLOCK_BYTES = 256 * 1024;

/** Adds the bytes of an open file from `from` up to, but not including, `to` to a hash. */
export function hashPart(hash: Hash, fd: number, from: number, to: number): void {
  const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, to - from));
  for (let at = from; at < to;) {
    const length = readSync(fd, block, 0, Math.min(block.length, to - at), at);
    if (length === 0) throw new Error('the file was truncated');
    hash.update(block.subarray(0, length));
    at += length;
  }
}
