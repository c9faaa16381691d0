import { randomFillSync } from 'node:crypto';
import { type Field, valuesOf } from './head.js';

/*
 * Which request belongs to which, over all hops: Trace Context (W3C, https://www.w3.org/TR/trace-context/). All requests for one
 * file have one trace ID; each sender has a parent ID of its own.
 *
 *   traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 */

const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:$|-)/;

/** A new trace ID: 32 hexadecimal digits. */
export function newTraceId(): string {
  return randomHex(16);
}

/** The trace ID of a request; undefined if it has none that is valid. */
export function traceIdOf(fields: readonly Field[]): string | undefined {
  const [value, ...more] = valuesOf(fields, 'traceparent');
  return value === undefined || more.length > 0 ? undefined : TRACEPARENT.exec(value)?.[1];
}

/** The field for a request that this host sends. */
export function traceparent(traceId: string): Field {
  return ['traceparent', `00-${traceId}-${randomHex(8)}-01`];
}

/** Random bytes for IDs, drawn ahead: each draw is a system call. */
const pool = Buffer.alloc(4096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}
