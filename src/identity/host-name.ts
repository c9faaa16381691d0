import { isIP } from 'node:net';
import { ViaductError } from '../errors.js';
import { isGlobal, parseAddress } from '../route/address.js';
import { type Hop, type Route, formatHop, isParked, parseHop, parseParked } from '../route/hop.js';
import { formatTarget } from '../route/url.js';
import { visible } from '../text.js';

/**
 * Ends of names that each network uses as it likes: RFC 6761, 6762 (also appendix G), 8375, and ICANN's `internal`.
 */
const PRIVATE_ENDS = [
  'corp',
  'home',
  'home.arpa',
  'internal',
  'intranet',
  'lan',
  'local',
  'localhost',
  'private',
  'test',
].map((end) => `.${end}`);

/**
 * The name under which `known_hosts` keeps the last host of a route. A public name or address is the same host from
 * everywhere: `host:port`. Any other one means what the hop before it makes of it, so that it has the route in front,
 * as in a URL: `h1:12000/@10.0.0.5:11000`. In lower case, addresses in their canonical form.
 * @param route one hop or more
 */
export function hostNameOf(route: Route): string {
  const hops = route.map(canonicalHop);
  const last = hops.at(-1);
  const [first, ...rest] = last !== undefined && isPublic(last) ? [last] : hops;
  return first === undefined ? '' : formatHop(first) + formatTarget({ route: rest, path: '' });
}

/**
 * A name of {@link hostNameOf} as people write it, in canonical form. It is no URL: an address keeps its zone as it is.
 * @throws ViaductError BAD_ROUTE
 */
export function parseHostName(text: string): string {
  return hostNameOf(text.split('/@').map((hop) => parseNamedHop(hop, text)));
}

function parseNamedHop(hop: string, text: string): Hop {
  const parked = parseParked(hop);
  if (parked !== undefined) return parked;
  const [, host, port] = /^(\[[^\]]*\]|[^:[\]/]*):([^:/]*)$/.exec(hop) ?? [];
  if (host !== undefined && port !== undefined) return parseHop(host, port);
  const message = `"${visible(text)}" is not the name of a host; write host:port, or h1:12000/@h2:11000`;
  throw new ViaductError('BAD_ROUTE', message);
}

function canonicalHop(hop: Hop): Hop {
  if (isParked(hop)) return hop;
  const { host, port } = hop;
  const address = parseAddress(host);
  if (address === undefined) return { host: host.toLowerCase(), port };
  const zone = /%.*$/.exec(host)?.[0] ?? '';
  return { host: `${address.toString()}${zone}`, port };
}

/** A parked node has its name from the hop before it. */
function isPublic(hop: Hop): boolean {
  if (isParked(hop)) return false;
  const { host } = hop;
  if (isIP(host) !== 0) {
    const address = parseAddress(host);
    return address !== undefined && isGlobal(address) && !host.includes('%');
  }
  return host.includes('.') && !PRIVATE_ENDS.some((end) => host.endsWith(end));
}
