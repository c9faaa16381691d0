import type { Socket } from 'node:net';
import type { HostHop } from '../route/hop.js';

/** The peer of a socket. */
export function remoteOf({ remoteAddress = '', remotePort = 0 }: Socket): HostHop {
  return { host: withoutMapping(remoteAddress), port: remotePort };
}

/** A dual-stack socket shows an IPv4 address as `::ffff:a.b.c.d`. */
export function withoutMapping(address: string): string {
  return address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
}

const MAPPED = '::ffff:';

/** Whether an address is one of this host's own that no network sees. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
