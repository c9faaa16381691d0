// The thread that hashes one file: SHA-256 of an open descriptor's first bytes, as base64.
import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

const BLOCK_BYTES = 1024 * 1024;

function digestOf({ fd, size }: { readonly fd: number; readonly size: number }): string | undefined {
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  for (let at = 0; at < size;) {
    const length = readSync(fd, block, 0, Math.min(block.length, size - at), at);
    if (length === 0) return undefined; // The file has shrunk.
    hash.update(block.subarray(0, length));
    at += length;
  }
  return hash.digest('base64');
}

function isJob(data: unknown): data is { readonly fd: number; readonly size: number } {
  return typeof data === 'object' && data !== null && 'fd' in data && 'size' in data;
}

if (isJob(workerData)) parentPort?.postMessage(digestOf(workerData));
