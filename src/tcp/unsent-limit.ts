import { systemCalls } from '../system/calls.js';

/**
 * Bytes that the kernel takes for a connection beyond those on the way. Without a limit it queues up to 4 MiB for a
 * reader that reads nothing, and 400 of them fill the memory that Linux allows all TCP connections together: it then
 * drops packets of every other connection (measured).
 */
const UNSENT_BYTES = 512 * 1024;

/** Limits it for a socket, or for every one that a listener will accept (TCP_NOTSENT_LOWAT). Without koffi it does nothing. */
export function limitUnsent(fd: number | undefined): void {
  const calls = systemCalls();
  if (fd !== undefined && !('missing' in calls)) calls.setUnsentLimit(fd, UNSENT_BYTES);
}
