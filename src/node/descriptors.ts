import { readFileSync } from 'node:fs';
import { DESCRIPTORS_PER_CONNECTION, DESCRIPTORS_RESERVED } from '../limits.js';

/**
 * How many connections the process's descriptors are enough for. It matters because out of
 * descriptors Node accepts and closes connections without any event (measured).
 */
export function connectionsThatFit(): number {
  return Math.max(1, Math.floor((maxDescriptors() - DESCRIPTORS_RESERVED) / DESCRIPTORS_PER_CONNECTION));
}

/** The soft limit of open files, which Node raises to the hard one at start-up; only Linux tells it (proc(5)). */
function maxDescriptors(): number {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return found ? Number(found[1]) : Infinity;
  } catch {
    return Infinity;
  }
}
