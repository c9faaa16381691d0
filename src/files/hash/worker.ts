// The thread that hashes files while they grow: each message is one more part of one file, read from the
// disk's cache, so that what is hashed is what was written.
import { type Hash, createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { hashPart } from './part.js';
import type { HashAnswer, HashRequest } from './thread.js';

const hashes = new Map<number, Hash>();

function answer({ file, fd, from, to, last }: HashRequest): HashAnswer {
  const hash = hashes.get(file) ?? createHash('sha256');
  hashes.set(file, hash);
  hashPart(hash, fd, from, to);
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
