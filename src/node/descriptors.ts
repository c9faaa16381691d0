import { readFileSync } from 'node:fs';
import { ADDRESSES_DIALLED } from '../tcp/dial.js';

/** Descriptors of one connection: the client's, and all attempts to dial, or a file. */
export const DESCRIPTORS_PER_CONNECTION = 1 + ADDRESSES_DIALLED;

/** Descriptors that are not connections: standard streams, event loop, listener, look-ups, some air. */
export const DESCRIPTORS_RESERVED = 64;

/**
 * How many connections the process's descriptors are enough for. It matters because out of
 * descriptors Node accepts and closes connections without any event (measured).
 */
export function connectionsThatFit(): number {
  return Math.max(1, Math.floor((maxDescriptors() - DESCRIPTORS_RESERVED) / DESCRIPTORS_PER_CONNECTION));
}

/** The soft limit of open files, which Node raises to the hard one at start-up; only Linux shows it (proc(5)). */
function maxDescriptors(): number {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return found ? Number(found[1]) : Infinity;
  } catch {
    return Infinity;
  }
}
