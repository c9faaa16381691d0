import { ViaductError, asViaductError } from '../errors.js';
import { type Hop, type Route, formatHop, parseHop } from './hop.js';
import { type Source } from './input-file.js';
import { withoutTokens } from './share-link.js';
import { visible } from '../text.js';
import { encodeSegment, formatTarget, parseTarget, withoutPasswords } from './url.js';

/** How the first hop is talked to: https is in TLS. Between hops it is always http. */
export type Scheme = 'http' | 'https';

/** Where something is: a path at the last hop of a route. */
export interface Location {
  /** @default 'http' */
  readonly scheme?: Scheme | undefined;
  /** One hop or more. */
  readonly route: Route;
  /** Absolute path at the origin, percent-encoded ASCII. */
  readonly path: string;
}

/**
 * A location as people write it: `http://h1:12000/@h2:11000/dir/file`, with https, or without a scheme, or
 * `h2:11000/dir/file` with the relays before it given apart, as with ssh. Characters that have no place in a
 * URL may stand in the path as they are; `%`, `?` and `#` of a name are written `%25`, `%3F` and `%23`,
 * and `@` at the path's beginning `%40`.
 * @param jump relays in front of it, as ssh's `-J` has them: `h1:12000,h2:11000`
 * @throws ViaductError BAD_ROUTE that names the wrong argument, the reason, and the right form
 */
export function parseLocation(text: string, jump?: string): Location {
  const relays = jump === undefined ? [] : blaming(`-J "${shown(jump)}"`, () => parseJump(jump));
  const { route, ...rest } = blaming(`"${shown(text)}"`, () => parseWhere(text));
  return { ...rest, route: [...relays, ...route] };
}

function parseWhere(text: string): Location {
  const [, written, authority = '', rest = ''] =
    /^(?:([a-z][a-z\d+.-]*):\/\/)?([^/?#]*)(.*)$/is.exec(text) ?? [];
  const scheme = written?.toLowerCase();
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    throw bad(`only http:// and https:// are spoken`);
  const [mark] = /[?#]/.exec(rest) ?? [];
  if (mark !== undefined) throw bad(`a "${mark}" of a name is written ${encodeURIComponent(mark)}`);
  if (/%(?![\da-f]{2})/i.test(rest)) throw bad('a "%" of a name is written %25');
  const first = parseAuthority(authority, scheme && DEFAULT_PORTS[scheme]);
  const { route, path } = parseTarget(rest === '' ? '/' : rest);
  // A name may begin with "@"; one with a colon as well is a hop mistyped.
  const [, noHop] = /^\/(@(?:~|[^/]*:)[^/]*)/.exec(path) ?? [];
  if (noHop !== undefined)
    throw bad(`"${shown(noHop)}" is no hop, which is @host:port or @~name; the "@" of a name is written %40`);
  return { ...(scheme === 'https' && { scheme }), route: [first, ...route], path: encodePath(path) };
}

/** @throws ViaductError BAD_ROUTE, with what is to blame for it in front */
function blaming<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw bad(`${what}: ${asViaductError(error).message}`, error);
  }
}

/** The location in an input file. */
export function locationOf({ name, route }: Source): Location {
  const segments = name.replace(/^\/+/, '').split('/');
  return { route, path: `/${segments.map(encodeSegment).join('/')}` };
}

/** The inverse of {@link parseLocation}. */
export function formatLocation({ scheme = 'http', route, path }: Location): string {
  const [first, ...rest] = route;
  return `${scheme}://${first === undefined ? '' : formatHop(first)}${formatTarget({ route: rest, path })}`;
}

/** The beginnings of a route, from the first hop alone to all of it. */
export function prefixesOf(route: Route): Route[] {
  return route.map((_, index) => route.slice(0, index + 1));
}

/** Of a URL without a port. */
const DEFAULT_PORTS = { http: 80, https: 443 } as const;

function parseJump(text: string): Hop[] {
  if (/[/@]/.test(text)) throw bad('write host:port,host:port, without scheme, user or path');
  return text.split(',').map((part) => {
    if (part.trim() === '') throw bad('a relay is missing; write host:port,host:port');
    return parseAuthority(part.trim(), undefined);
  });
}

function parseAuthority(text: string, defaultPort: number | undefined): Hop {
  if (text.includes('@')) throw bad('write host:port, without user or password');
  if (text.startsWith('~')) return parseHop(text);
  const [, host = '', port] = /^(\[.*\]|[^:]*)(?::(.*))?$/s.exec(text) ?? [undefined, text];
  if (port === undefined && defaultPort === undefined)
    throw bad(`"${visible(text)}" has no port; write host:port`);
  return parseHop(host, port ?? String(defaultPort));
}

/** Percent-encodes what is not allowed in a path (RFC 3986 §3.3), but for what is encoded already. */
export function encodePath(path: string): string {
  return encodeURI(path.toWellFormed()).replaceAll('%25', '%');
}

/** What was typed, as an error may show it. */
function shown(text: string): string {
  return visible(withoutTokens(withoutPasswords(text)));
}

function bad(message: string, cause?: unknown): ViaductError {
  return new ViaductError('BAD_ROUTE', message, { cause });
}
