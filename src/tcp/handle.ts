import { type Server, Socket } from 'node:net';

/*
 * What Node does not document of a socket: its descriptor, how much of a pending write the kernel has taken, its
 * peer as the kernel sees it now, whether it reads, and into which buffer. Nothing else touches `_handle`.
 * Where a field is absent (Windows has no descriptors, a closed socket has no handle) the result is undefined or
 * false and callers do without.
 */

interface Handle {
  readonly fd?: unknown;
  readonly writeQueueSize?: unknown;
  readonly getpeername?: unknown;
  readStart?: unknown;
  readonly readStop?: unknown;
  reading?: unknown;
  readonly useUserBuffer?: unknown;
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
  const result: unknown =
    typeof getpeername === 'function' ? Reflect.apply(getpeername, handle, [{}]) : undefined;
  return typeof result === 'number' && result !== 0; // In TLS over something else than a socket it is undefined.
}

/**
 * Stops a socket from reading at once, whatever its stream has begun or is about to do, until {@link allowReading}.
 * A stream's own pause still lets it read ahead.
 */
export function forbidReading(socket: Socket): void {
  const handle = handleOf(socket);
  if (typeof handle?.readStop !== 'function') return;
  Reflect.apply(handle.readStop, handle, []);
  handle.reading = false;
  // Hides the method of the prototype: a resume that is on its way starts nothing.
  handle.readStart = () => 0;
}

/** Lets it read again: at its next resume if it has a buffer of its own (`onread`), else at once. */
export function allowReading(socket: Socket, atOnce: boolean): void {
  const handle = handleOf(socket);
  if (handle === undefined || !Object.hasOwn(handle, 'readStart')) return;
  delete handle.readStart;
  handle.reading = atOnce;
  if (atOnce && typeof handle.readStart === 'function') Reflect.apply(handle.readStart, handle, []);
}

/** A socket of Node over a descriptor, which is its own from here on; paused. A closed one without. */
export function socketOver(fd: number | undefined): Socket {
  // With the first option, which is not documented, it does not begin to read.
  const options = { pauseOnCreate: true, allowHalfOpen: true, readable: true, writable: true };
  return fd === undefined ? new Socket().destroy() : new Socket({ ...options, fd }).pause();
}

/** As `onread` of `net.connect()`. */
export interface ReadTarget {
  /** Called before each read. */
  readonly buffer: () => Buffer;
  /** Called after each read with its size in bytes. False stops reading until the socket is resumed. */
  readonly callback: (length: number) => boolean;
}

/**
 * Makes a socket that exists already, paused, read into buffers of the caller, as `net.connect()` does with `onread`:
 * this is about twice as fast as `data` events, for TLS too. It sets what the constructor of `net.Socket` sets (lib/net.js,
 * the same in Node 20 to 26). False if this Node works in another way: the socket then emits `data`.
 */
export function readInto(socket: Socket, { buffer, callback }: ReadTarget): boolean {
  const handle = handleOf(socket);
  readKeys ??= readKeysOf(socket);
  if (readKeys === 'unknown' || typeof handle?.useUserBuffer !== 'function') return false;
  const bytes = buffer();
  Reflect.set(socket, readKeys.buffer, bytes);
  Reflect.set(socket, readKeys.generator, buffer);
  Reflect.set(socket, readKeys.callback, callback);
  Reflect.apply(handle.useUserBuffer, handle, [bytes]);
  return true;
}

interface ReadKeys {
  readonly buffer: symbol;
  readonly generator: symbol;
  readonly callback: symbol;
}

/** The same for all sockets. */
let readKeys: ReadKeys | 'unknown' | undefined;

function readKeysOf(socket: Socket): ReadKeys | 'unknown' {
  const symbols = Object.getOwnPropertySymbols(socket);
  const keyOf = (name: string): symbol | undefined => symbols.find(({ description }) => description === name);
  const [buffer, generator, callback] = [keyOf('kBuffer'), keyOf('kBufferGen'), keyOf('kBufferCb')];
  if (buffer === undefined || generator === undefined || callback === undefined) return 'unknown';
  return { buffer, generator, callback };
}
