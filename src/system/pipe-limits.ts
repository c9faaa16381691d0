import { readFileSync } from 'node:fs';

/** linux/capability.h: each of the two lifts the limits on pages in pipes (pipe(7), pipe-user-pages-soft). */
const CAP_SYS_ADMIN = 21n;
const CAP_SYS_RESOURCE = 24n;

/**
 * Whether a process may have as many pages in pipes as it likes; false where that cannot be known.
 * @param status of a process, in the form of proc(5) @default that of this one
 */
export function pipesAreUnlimited(status = ownStatus()): boolean {
  const [, text] = /^CapEff:\s*([\da-f]+)$/m.exec(status) ?? [];
  const effective = text === undefined ? 0n : BigInt(`0x${text}`);
  return ((effective >> CAP_SYS_ADMIN) & 1n) === 1n || ((effective >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

function ownStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}
