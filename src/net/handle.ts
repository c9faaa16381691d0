import type { Server, Socket } from 'node:net';

/*
 * What Node knows of a socket and does not document: its descriptor, how much of a pending write the
 * kernel has taken, and its peer as the kernel sees it now. Nothing else reads `_handle`. Where a field is absent (Windows has no
 * descriptors, a closed socket no handle) the answer is undefined and callers do without.
 */

interface Handle {
  readonly fd?: unknown;
  readonly writeQueueSize?: unknown;
  readonly getpeername?: unknown;
}

function handleOf(socket: Socket | Server): Handle | undefined {
  if (!('_handle' in socket)) return undefined;
  const handle: unknown = socket._handle;
  return typeof handle === 'object' && handle !== null ? handle : undefined;
}

/** The descriptor of a socket or listener. */
export function descriptorOf(socket: Socket | Server): number | undefined {
  const fd = handleOf(socket)?.fd;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}

/** Bytes written to a socket that the kernel has not taken yet. Coarser (whole writes) without the field. */
export function unsentBytes(socket: Socket): number {
  const queued = handleOf(socket)?.writeQueueSize;
  return typeof queued === 'number' ? queued : socket.writableLength;
}

/** Whether the kernel has no peer for this socket any more; false where that cannot be known. */
export function isDisconnected(socket: Socket): boolean {
  const handle = handleOf(socket);
  const getpeername = handle?.getpeername;
  return typeof getpeername === 'function' && Reflect.apply(getpeername, handle, [{}]) !== 0;
}
