import type { Server, Socket } from 'node:net';
import { systemCalls } from '../system/calls.js';
import { descriptorOf } from './handle.js';

/*
 * The classic reply has no length, so a clean FIN is its only sign of a whole file. A process that is
 * killed with -9 has its sockets closed by the kernel, which sends FIN: damage that looks whole
 * (measured). With SO_LINGER {on, 0 s} the kernel sends RST instead, so every socket carries it until
 * its FIN is queued. Node has no call for it; koffi, an optional dependency, reaches setsockopt(2).
 */

/** Why this process cannot turn its death into resets, or undefined if it can. */
export function resetOnDeathMissing(): string | undefined {
  const calls = systemCalls();
  return 'missing' in calls ? calls.missing : undefined;
}

/**
 * Arms a socket, or a listener and with it every socket that it will accept, so that closing it in
 * any way but after {@link clearResetOnDeath} sends RST. Without koffi it does nothing.
 */
export function setResetOnDeath(socket: Socket | Server): void {
  setLinger(socket, 1);
}

/** Takes it back: to be called once the FIN is queued, since from here on a close must not destroy data. */
export function clearResetOnDeath(socket: Socket): void {
  setLinger(socket, 0);
}

function setLinger(socket: Socket | Server, on: 0 | 1): void {
  const calls = systemCalls();
  const fd = descriptorOf(socket);
  // Can only fail on a socket that is gone already, which its own events report.
  if (fd !== undefined && !('missing' in calls)) calls.setLinger(fd, on);
}
