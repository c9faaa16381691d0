import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { DIGESTS_AT_ONCE, DIGESTS_KEPT, DIGEST_WAIT_MS } from '../../limits.js';
import { type Field, type RequestHead, valuesOf } from '../../wire/http-head.js';
import type { Root, ServedFile } from '../root.js';

/** True if a request asks for the SHA-256 of the whole file (RFC 9530 §4). */
export function wantsDigest(request: RequestHead): boolean {
  const wanted = /(?:^|[, ])sha-256\s*=\s*(\d+)/.exec(valuesOf(request.fields, 'want-repr-digest').join(','));
  return wanted !== null && Number(wanted[1]) > 0;
}
