import { ViaductError, asViaductError } from '../errors.js';
import { type Hop, type Route, type Source, formatHop, parseHop, visible } from '../route.js';
import { encodeSegment, formatTarget, parseTarget } from '../url.js';

/** Where something is: a path at the last hop of a route. */
export interface Location {
  /** One hop or more. */
  readonly route: Route;
  /** Absolute path at the origin, percent-encoded ASCII. */
  readonly path: string;
}

/**
 * A location as people write it: `http://h1:12000/@h2:11000/dir/file`, with or without the scheme, or
 * `h2:11000/dir/file` with the relays before it given apart, as with ssh. Characters that have no place in a
 * URL may stand in the path as they are; `%`, `?` and `#` of a name are written `%25`, `%3F` and `%23`.
 * @param jump relays in front of it, `h1:12000,h2:11000`
 * @throws ViaductError BAD_ROUTE that says what is wrong and what to write
 */
export function parseLocation(text: string, jump?: string): Location {
  const [, scheme, authority = '', rest = ''] =
    /^(?:([a-z][a-z\d+.-]*):\/\/)?([^/?#]*)(.*)$/is.exec(text) ?? [];
  try {
    if (scheme !== undefined && scheme.toLowerCase() !== 'http') throw bad(`only http:// is spoken`);
    const [mark] = /[?#]/.exec(rest) ?? [];
    if (mark !== undefined) throw bad(`a "${mark}" of a name is written ${encodeURIComponent(mark)}`);
    if (/%(?![\da-f]{2})/i.test(rest)) throw bad('a "%" of a name is written %25');
    const first = parseAuthority(authority, scheme === undefined ? undefined : HTTP_PORT);
    const { route, path } = parseTarget(rest === '' ? '/' : rest);
    return { route: [...parseJump(jump), first, ...route], path: encodePath(path) };
  } catch (error) {
    throw bad(`"${visible(text)}": ${asViaductError(error).message}`, error);
  }
}

/** What an original's input file says. */
export function locationOf({ name, route }: Source): Location {
  const segments = name.replace(/^\/+/, '').split('/');
  return { route, path: `/${segments.map(encodeSegment).join('/')}` };
}

/** The inverse of {@link parseLocation}. */
export function formatLocation({ route, path }: Location): string {
  const [first, ...rest] = route;
  return `http://${first === undefined ? '' : formatHop(first)}${formatTarget({ route: rest, path })}`;
}

/** The beginnings of a route, from the first hop alone to all of it. */
export function prefixesOf(route: Route): Route[] {
  return route.map((_, index) => route.slice(0, index + 1));
}

/** Where a URL does not say. */
const HTTP_PORT = 80;

function parseJump(text: string | undefined): Hop[] {
  return text === undefined ? [] : text.split(',').map((part) => parseAuthority(part.trim(), undefined));
}

function parseAuthority(text: string, defaultPort: number | undefined): Hop {
  const [, host = '', port] = /^(\[.*\]|[^:]*)(?::(.*))?$/s.exec(text) ?? [undefined, text];
  if (port === undefined && defaultPort === undefined)
    throw bad(`"${visible(text)}" has no port; write host:port`);
  return parseHop(host, port ?? String(defaultPort));
}

/** Percent-encodes what is not allowed in a path (RFC 3986 §3.3), but for what is encoded already. */
function encodePath(path: string): string {
  return encodeURI(path.toWellFormed()).replaceAll('%25', '%');
}

function bad(message: string, cause?: unknown): ViaductError {
  return new ViaductError('BAD_ROUTE', message, { cause });
}
