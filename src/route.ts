import { isIPv4, isIPv6 } from 'node:net';
import { ViaductError } from './errors.js';

/** One stop of a route. `host` is a name, an IPv4 address or an IPv6 address without brackets. */
export interface Hop {
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
}

/** The hops from the client's first connection to the origin, in order; a hop may occur more than once. */
export type Route = readonly Hop[];

/** What an input file says: which file, and over which route. */
export interface Source {
  /** File name as the origin knows it, relative to its root. */
  readonly name: string;
  readonly route: Route;
}

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

/**
 * A hop from its two words, as they stand in a classic message or an input file.
 * @throws ViaductError BAD_ROUTE that says which of the two is wrong
 */
export function parseHop(hostText: string, portText: string): Hop {
  const host = parseHost(hostText);
  if (host === undefined)
    throw new ViaductError('BAD_ROUTE', `"${visible(hostText)}" is not a host name or address`);
  const port = parsePort(portText);
  if (port === undefined)
    throw new ViaductError('BAD_ROUTE', `"${visible(portText)}" is not a port (1 to 65535)`);
  return { host, port };
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatHop({ host, port }: Hop): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** How errors call a hop: `hop 3 (h4:9000)`. The client is 0, the hop that it dials 1. */
export function hopLabel(number: number, hop: Hop): string {
  return `hop ${number} (${formatHop(hop)})`;
}

/**
 * The input file of the original: the file name on the first line, then one line `host port` per hop.
 * LF or CRLF; blank lines are skipped and a byte-order mark is ignored.
 * @throws ViaductError BAD_ROUTE, naming the line and what is wrong with it
 */
export function parseInput(text: string): Source {
  let name: string | undefined;
  const route: Hop[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    if (name === undefined) {
      if (line.includes('\0'))
        throw new ViaductError('BAD_ROUTE', `line ${index + 1}: a file name has no NUL`);
      name = line;
    } else {
      route.push(parseHopLine(line, index + 1));
    }
  }
  if (name === undefined) throw new ViaductError('BAD_ROUTE', 'line 1: the file name is missing');
  if (route.length === 0) throw new ViaductError('BAD_ROUTE', 'line 2: a line "host port" is missing');
  return { name, route };
}

/** @throws ViaductError TOO_MANY_HOPS */
export function limitHops(route: Route, maxHops: number): void {
  if (route.length <= maxHops) return;
  const message = `the route has ${route.length} hops; at most ${Math.max(maxHops, 0)} are allowed`;
  throw new ViaductError('TOO_MANY_HOPS', message);
}

function parseHopLine(line: string, number: number): Hop {
  const [host, port, ...more] = line.trim().split(/\s+/);
  if (host === undefined || port === undefined || more.length > 0) {
    throw new ViaductError(
      'BAD_ROUTE',
      `line ${number}: expected "host port", with a space between, found "${visible(line)}"`,
    );
  }
  try {
    return parseHop(host, port);
  } catch (error) {
    if (!(error instanceof ViaductError)) throw error;
    throw new ViaductError(error.code, `line ${number}: ${error.message}`, { cause: error });
  }
}

/** The inverse of {@link parseInput}: the text of an input file. */
export function formatInput({ name, route }: Source): string {
  return [name, ...route.map(({ host, port }) => `${host} ${port}`), ''].join('\n');
}

/** Control characters, bidirectional controls, line separators, byte-order mark. */
export const UNSAFE_TO_PRINT = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/**
 * Text from elsewhere made safe to print: control characters, bidirectional controls and line
 * separators become `\xNN` or `\u{NNNN}` (CVE-2019-6109), and it is cut after `length` characters.
 */
export function visible(text: string, length = 200): string {
  const shown = text.length > length ? `${text.slice(0, length)}…` : text;
  return shown.replace(UNSAFE_TO_PRINT, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
