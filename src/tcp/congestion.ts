import { readFileSync } from 'node:fs';
import { ViaductError } from '../errors.js';
import { SystemCallError } from '../system/library.js';
import { systemCalls } from '../system/calls.js';
import { visible } from '../text.js';

/** asm-generic/errno-base.h, negative. */
const [EPERM, ENOENT] = [-1, -2];

/**
 * Sets the congestion control of a socket, or of every one that a listener will accept (TCP_CONGESTION).
 * @param name as the kernel knows it, such as `bbr`
 * @throws ViaductError USAGE if the kernel does not have or allow it, or koffi is missing
 */
export function useCongestion(fd: number | undefined, name: string): void {
  const calls = systemCalls();
  if ('missing' in calls) throw refused(name, calls.missing);
  // It has closed meanwhile.
  if (fd === undefined) return;
  const result = calls.setCongestion(fd, name);
  if (result === ENOENT) {
    const known = knownToKernel('available');
    throw refused(name, `this kernel does not have it${known === '' ? '' : `, only ${known}`}`);
  }
  if (result === EPERM) {
    const allowed = knownToKernel('allowed');
    throw refused(
      name,
      `only root may use it; root allows it with sysctl net.ipv4.tcp_allowed_congestion_control="${allowed} ${name}"`,
    );
  }
  if (result < 0) throw refused(name, new SystemCallError('setsockopt', result).message);
}

function refused(name: string, why: string): ViaductError {
  return new ViaductError('USAGE', `congestion control ${visible(name)} cannot be used: ${why}`);
}

/** The names in `net.ipv4.tcp_…_congestion_control`. */
function knownToKernel(which: 'available' | 'allowed'): string {
  try {
    return readFileSync(`/proc/sys/net/ipv4/tcp_${which}_congestion_control`, 'utf8').trim();
  } catch {
    return '';
  }
}
