import { readFileSync } from 'node:fs';
import { endianness, networkInterfaces } from 'node:os';

import type { NetworkView } from './address.js';

/** How long the list of this host's own addresses and gateways is trusted before it is read again. */
export const NETWORK_VIEW_MS = 5000;

/** This host's addresses and default gateways, read again when older than 5 s: interfaces come and go. */
export function systemNetworkView(): () => NetworkView {
  let view: NetworkView | undefined;
  let readAt = 0;
  return () => {
    const now = performance.now();
    if (view === undefined || now - readAt > NETWORK_VIEW_MS) {
      view = { own: ownPrefixes(), gateways: [...ipv4Gateways(), ...ipv6Gateways()] };
      readAt = now;
    }
    return view;
  };
}

function ownPrefixes(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).flatMap(({ cidr }) => cidr ?? []),
  );
}

/*
 * The routing tables as Linux shows them (Documentation/networking/proc_net_tcp.rst, ipv6_route).
 * Elsewhere the files are absent and no gateway is known; docs/security.md describes the consequences.
 */

function ipv4Gateways(): string[] {
  return lines('/proc/net/route').flatMap((line) => {
    const [, destination, gateway = ''] = line.split(/\s+/);
    const bytes = gateway.match(/../g)?.map((pair) => parseInt(pair, 16));
    if (destination !== '00000000' || gateway === '00000000' || bytes?.length !== 4) return [];
    // The kernel prints the four bytes as one number of the machine's own byte order.
    return [(endianness() === 'LE' ? bytes.toReversed() : bytes).join('.')];
  });
}

function ipv6Gateways(): string[] {
  return lines('/proc/net/ipv6_route').flatMap((line) => {
    const [destination = '', bits, , , gateway = ''] = line.split(/\s+/);
    if (bits !== '00' || /[^0]/.test(destination) || !/[^0]/.test(gateway)) return [];
    return gateway.match(/..../g)?.join(':') ?? [];
  });
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
