// The thread that hashes files while they are written. Each message names the next part of a file. The part is read
// from the file, mostly from the page cache, so that what is hashed is what was written.
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
  parentPort?.postMessage(reply);
});
