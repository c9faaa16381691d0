import type { Hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { fileCalls } from '../../system/file-calls.js';

const BLOCK_BYTES = 256 * 1024;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/**
 * Adds the bytes of an open file from `from` up to, but not including, `to` to a hash.
 * @param sparse the file has holes: they are not read where the system tells where they are
 * @throws Error if the file is shorter, or cannot be read
 */
export function hashPart(hash: Hash, fd: number, from: number, to: number, sparse = false): void {
  const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, to - from));
  const calls = sparse ? fileCalls() : undefined;
  for (let at = from; at < to;) {
    const most = Math.min(block.length, to - at);
    const hole = calls === undefined ? 0 : Math.min(calls.nextData(fd, at) - at, most);
    const length = hole > 0 ? hole : readSync(fd, block, 0, most, at);
    if (length === 0) throw new Error('the file was truncated');
    hash.update((hole > 0 ? ZEROS : block).subarray(0, length));
    at += length;
  }
}
