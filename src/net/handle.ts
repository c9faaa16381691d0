import type { Server, Socket } from 'node:net';

/*
 * What Node knows of a socket and does not document: its descriptor, how much of a pending write the
 * kernel has taken, its peer as the kernel sees it now, and whether it reads. Nothing else touches `_handle`.
 * Where a field is absent (Windows has no descriptors, a closed socket no handle) the answer is undefined and
 * callers do without.
 */

interface Handle {
  readonly fd?: unknown;
  readonly writeQueueSize?: unknown;
  readonly getpeername?: unknown;
  readonly readStart?: unknown;
  readonly readStop?: unknown;
  reading?: unknown;
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

/** Stops or starts the reading of a socket's handle at once, whatever its stream is about to do. */
export function setReading(socket: Socket, on: boolean): void {
  const handle = handleOf(socket);
  const act = on ? handle?.readStart : handle?.readStop;
  if (handle === undefined || typeof act !== 'function') return;
  handle.reading = on;
  Reflect.apply(act, handle, []);
}
