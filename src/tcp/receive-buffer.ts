import type { Socket } from 'node:net';
import { systemCalls } from '../system/calls.js';
import { descriptorOf } from './handle.js';

/**
 * Bounds what the kernel holds for a reader that is slow on purpose: it is lost when that reader dies, up to
 * 6 MiB without a bound. Does nothing where there is no call for it.
 */
export function limitReceiveBuffer(socket: Socket, bytes: number): void {
  const calls = systemCalls();
  const fd = descriptorOf(socket);
  if (fd !== undefined && !('missing' in calls)) calls.setReceiveBuffer(fd, bytes);
}
