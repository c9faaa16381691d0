// The thread that hashes files while they grow: each message is one more part of one file, read from the
// disk's cache, so that what is hashed is what was written.
import { type Hash, createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { HashAnswer, HashRequest } from './hash-thread.js';

const block = Buffer.allocUnsafe(1024 * 1024);
const hashes = new Map<number, Hash>();

function answer({ file, fd, from, to, last }: HashRequest): HashAnswer {
  const hash = hashes.get(file) ?? createHash('sha256');
  hashes.set(file, hash);
  for (let at = from; at < to;) {
    const length = readSync(fd, block, 0, Math.min(block.length, to - at), at);
    if (length === 0) throw new Error('the file has shrunk');
    hash.update(block.subarray(0, length));
    at += length;
  }
  if (!last) return { file };
  hashes.delete(file);
  return { file, digest: hash.digest('base64') };
}

parentPort?.on('message', (request: HashRequest) => {
  let reply: HashAnswer;
  try {
    reply = answer(request);
  } catch (error) {
    hashes.delete(request.file);
    reply = { file: request.file, error: String(error) };
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a MessagePort, not a window
  parentPort?.postMessage(reply);
});
