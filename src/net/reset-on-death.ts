import { createRequire } from 'node:module';
import type { Server, Socket } from 'node:net';
import type * as Koffi from 'koffi';
import { descriptorOf } from './handle.js';

/*
 * The classic reply has no length, so a clean FIN is its only sign of a whole file. A process that is
 * killed with -9 has its sockets closed by the kernel, which sends FIN: damage that looks whole
 * (measured). With SO_LINGER {on, 0 s} the kernel sends RST instead, so every socket carries it until
 * its FIN is queued. Node has no call for it; koffi, an optional dependency, reaches setsockopt(2).
 */

/** Linux, asm-generic/socket.h. */
const SOL_SOCKET = 1;
const SO_LINGER = 13;
/** struct linger { int l_onoff; int l_linger; } of socket(7). */
const LINGER_SIZE = 8;

type SetSockOpt = (fd: number, level: number, option: number, value: Buffer, length: number) => number;

let loaded: { readonly call: SetSockOpt } | { readonly missing: string } | undefined;

function load(): { readonly call: SetSockOpt } | { readonly missing: string } {
  if (process.platform !== 'linux') return { missing: `not available on ${process.platform}` };
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require() of an optional package has no type
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    const prototype = 'int setsockopt(int fd, int level, int option, const void *value, uint32_t length)';
    return { call: koffi.load(null).func(prototype) };
  } catch {
    return { missing: 'the optional package koffi is not installed' };
  }
}

/** Why this process cannot turn its death into resets, or undefined if it can. */
export function resetOnDeathMissing(): string | undefined {
  loaded ??= load();
  return 'missing' in loaded ? loaded.missing : undefined;
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
  loaded ??= load();
  const fd = descriptorOf(socket);
  if (fd === undefined || 'missing' in loaded) return;
  const value = Buffer.alloc(LINGER_SIZE);
  value.writeInt32LE(on, 0);
  // Can only fail on a socket that is gone already, which its own events report.
  loaded.call(fd, SOL_SOCKET, SO_LINGER, value, LINGER_SIZE);
}
