// The thread that hashes files. Each message names the next part of a file, which is read from the file: while it is
// written, mostly from the page cache, so that what is hashed is what was written.
import { type Hash, createHash } from 'node:crypto';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { hashPart } from './part.js';
import type { HashAnswer, HashOrder, HashPart, HashWorkerStart } from './protocol.js';

/** nice(1): this thread then gets a tenth of what an ordinary one gets. */
const NICE = 10;

const hashes = new Map<number, Hash>();

function answer({ file, fd, from, to, begins = false, last, sparse }: HashPart): HashAnswer {
  const hash = from === 0 || begins ? createHash('sha256') : hashes.get(file);
  if (hash === undefined) throw new Error('the hash was lost');
  hashes.set(file, hash);
  hashPart(hash, fd, from, to, sparse);
  if (!last) return { file };
  hashes.delete(file);
  return { file, digest: hash.digest('base64') };
}

function serve(order: HashOrder): void {
  if ('forget' in order) {
    hashes.delete(order.forget);
    return;
  }
  if ('close' in order) {
    parentPort?.close();
    return;
  }
  let reply: HashAnswer;
  try {
    reply = answer(order);
  } catch (error) {
    hashes.delete(order.file);
    reply = { file: order.file, error: String(error) };
  }
  parentPort?.postMessage(reply);
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the main thread gave
const { nice = false } = workerData as HashWorkerStart;
// setpriority(2) with 0 means the calling thread on Linux, and the whole process elsewhere.
if (nice && process.platform === 'linux') setPriority(0, NICE);
parentPort?.on('message', serve);
