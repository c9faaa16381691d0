import { isIPv4, isIPv6 } from 'node:net';
import { type ErrorCode, ViaductError } from '../errors.js';
import { visible } from '../text.js';
import { isPinBeginning, parseParkedName } from './parked-name.js';

/** A node that is dialled. */
export interface HostHop {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
}

/** A node that is parked at the hop before it, written `~attic`: it is never the first hop. */
export interface ParkedHop {
  /** Its name, or the beginning of its pin in base64url. */
  readonly parked: string;
}

/**
 * One hop of a route. A further kind is a member of this union with members of its own; {@link formatHop}, the parsers
 * of both grammars (`parseHop` here, `parseSegment` in `url.ts`) and the dialler then have a case more.
 */
export type Hop = HostHop | ParkedHop;

export function isParked(hop: Hop): hop is ParkedHop {
  return 'parked' in hop;
}

/** The hops from the client's first connection to the origin, in order; a hop may occur more than once. */
export type Route = readonly Hop[];

/*
 * Grammar of a host, strict because a loose one hides addresses (`127.1`, `0x7f.1`, `2130706433`):
 *
 *   host     = IPv4 in four decimal parts / IPv6 / "[" IPv6 "]" / reg-name
 *   reg-name = label *( "." label )    ; at most 253 characters, the last label not all digits nor 0x…
 *   label    = 1*63( ALPHA / DIGIT / "-" / "_" )
 */
const LABEL = /^[a-z0-9_-]{1,63}$/i;
const NUMERIC_LABEL = /^(?:[0-9]+|0x[0-9a-f]*)$/i;

/** The canonical form of a host, or undefined if it is none. Brackets are taken off. */
export function parseHost(text: string): string | undefined {
  if (text.startsWith('[') && text.endsWith(']')) {
    const inner = text.slice(1, -1);
    return isIPv6(inner) ? inner : undefined;
  }
  if (isIPv4(text) || isIPv6(text)) return text;
  const labels = text.split('.');
  const last = labels[labels.length - 1] ?? '';
  const valid = text.length <= 253 && labels.every((label) => LABEL.test(label)) && !NUMERIC_LABEL.test(last);
  return valid ? text : undefined;
}

/** A port in plain decimal, `lowest` (default 1) to 65,535, or undefined. */
export function parsePort(text: string, lowest = 1): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= lowest && port <= 65_535 ? port : undefined;
}

/** A parked node from `~attic`, or undefined for other text. */
export function parseParked(text: string): ParkedHop | undefined {
  if (!text.startsWith('~')) return undefined;
  const name = text.slice(1);
  const parked = isPinBeginning(name) ? name : parseParkedName(name);
  return parked === undefined ? undefined : { parked };
}

/**
 * A hop from its two words, as they stand in a classic message or an input file. The port of a parked node is 0, since
 * originals split a line into two words; without one it is the same.
 * @throws ViaductError BAD_ROUTE that names the wrong word
 */
export function parseHop(hostText: string, portText?: string): Hop {
  if (hostText.startsWith('~')) return parseParkedWords(hostText, portText);
  return parseHostHop(hostText, portText);
}

function parseParkedWords(hostText: string, portText = '0'): ParkedHop {
  const hop = parseParked(hostText);
  if (hop === undefined) throw new ViaductError('BAD_ROUTE', `"${visible(hostText)}" ${NOT_PARKED}`);
  if (portText !== '0')
    throw new ViaductError(
      'BAD_ROUTE',
      `"${visible(portText)}" is not the port of ${visible(hostText)}: a parked node has port 0, or none`,
    );
  return hop;
}

/** Said of a text that begins with `~` and names no parked node. */
const NOT_PARKED =
  'is no parked node: ~ and a name of up to 15 letters, digits and "-", or 16 characters or more of its pin';

/** A hop that is no parked node; as {@link parseHop}. */
function parseHostHop(hostText: string, portText = ''): HostHop {
  const host = parseHost(hostText);
  if (host === undefined)
    throw new ViaductError('BAD_ROUTE', `"${visible(hostText)}" is not a host name or address`);
  const port = parsePort(portText);
  if (port === undefined)
    throw new ViaductError('BAD_ROUTE', `"${visible(portText)}" is not a port (1 to 65535)`);
  return { host, port };
}

/** `host:port`, with brackets around an IPv6 address; `~attic` for a parked node. */
export function formatHop(hop: Hop): string {
  if (isParked(hop)) return `~${hop.parked}`;
  const { host, port } = hop;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The two words of a hop in a classic message and in an input file. */
export function hopWords(hop: Hop): readonly [string, string] {
  return isParked(hop) ? [`~${hop.parked}`, '0'] : [hop.host, String(hop.port)];
}

/** How errors call a hop: `hop 3 (h4:9000)`. The client is 0, the hop that it dials 1. */
export function hopLabel(number: number, hop: Hop): string {
  return `hop ${number} (${formatHop(hop)})`;
}

/** An error of a hop; `what` follows its label. @param hint as in `ErrorDetails` */
export function hopError(
  code: ErrorCode,
  number: number,
  hop: Hop,
  what: string,
  cause?: unknown,
  hint?: string,
): ViaductError {
  const details = { hopAddress: formatHop(hop), hopNumber: number, cause, hint };
  return new ViaductError(code, `${hopLabel(number, hop)} ${what}`, details);
}

/**
 * Every program counts the hops of the whole route, so that all messages about a route have the same number.
 * @param route the hops that are left
 * @param maxHops of a whole route
 * @param passed hops before those; the classic wire has no number of them, so a node there counts itself alone
 * @throws ViaductError TOO_MANY_HOPS
 */
export function limitHops(route: Route, maxHops: number, passed = 0): void {
  const hops = passed + route.length;
  if (hops <= maxHops) return;
  const where = passed === 0 ? '' : ` at hop ${passed}`;
  const message = `the route has ${hops} hops; at most ${maxHops} are allowed${where} (--max-hops)`;
  throw new ViaductError('TOO_MANY_HOPS', message);
}
