import { ViaductError } from '../errors.js';
import { hasBytes, nameOfBytes, replaceBytes } from './name.js';
import { type Hop, type Route, formatHop, parseHost, parseParked, parsePort } from './hop.js';

/*
 * The route in a URL's path:
 *
 *   path = *( "/@" host ":" port / "/@~" parked ) "/" rest
 *   host = reg-name / IPv4 / "[" IPv6 "]"     ; no percent-encoding
 *
 * Only leading segments that match entirely are hops; any other segment is a name, so `/@types/` is a
 * folder. A name that looks like a hop is written `%40…`. `.` segments count for nothing (RFC 3986 §5.2.4).
 */

/** The name, at every node, of its status: what runs there, whatever its root holds. */
export const STATUS_NAME = '.viaduct/status';

/** The name, at every node, of its speed tests, with a slash and a number of bytes behind it. */
export const SPEED_NAME = '.viaduct/speed';

/** A request target taken apart. */
export interface RoutedTarget {
  /** The hops that are left. */
  readonly route: Route;
  /** Absolute path and query at the origin, still percent-encoded; begins with `/`. */
  readonly path: string;
}

/**
 * Takes a request target apart: origin-form or absolute-form (RFC 9112 §3.2).
 * @throws ViaductError BAD_REQUEST for another form, for an empty host, and for `..` where a hop may stand
 */
export function parseTarget(target: string): RoutedTarget {
  const [absolute = '', authority = ''] = /^https?:\/\/([^/?#]*)/i.exec(target) ?? [];
  // RFC 9110 §4.2.1: an empty host must be rejected.
  if (absolute !== '' && /^(?:[^@]*@)?(?::|$)/.test(authority))
    throw new ViaductError('BAD_REQUEST', 'the target has an empty host');
  let path = target.slice(absolute.length);
  if (absolute !== '' && !path.startsWith('/')) path = `/${path}`;
  if (!path.startsWith('/')) throw new ViaductError('BAD_REQUEST', 'the target is not a path');
  path = withoutDotSegments(path);
  const route: Hop[] = [];
  for (;;) {
    const [whole, segment = ''] = /^\/([^/?#]*)/.exec(path) ?? [''];
    const hop = parseSegment(segment);
    if (hop === undefined) break;
    route.push(hop);
    path = path.slice(whole.length);
    if (!path.startsWith('/')) path = `/${path}`;
  }
  if (/^\/(?:\.|%2e){2}(?:[/?#]|$)/i.test(path)) {
    throw new ViaductError('BAD_REQUEST', 'the path begins with ".."');
  }
  return { route, path };
}

/**
 * Where a target leads that ends with a hop (`/@h:1`): the same with a slash (`./@h:1/`), relative. Without the slash, the
 * relative links of a page would lead to the node before. Undefined for other targets.
 */
export function withMissingSlash(target: string): string | undefined {
  const end = target.search(/[?#]/);
  const path = end === -1 ? target : target.slice(0, end);
  const segment = path.slice(path.lastIndexOf('/') + 1);
  const query = target.slice(path.length).replace(/#.*$/s, '');
  return parseSegment(segment) === undefined ? undefined : `./${segment}/${query}`;
}

function withoutDotSegments(target: string): string {
  const end = target.search(/[?#]/);
  const path = end === -1 ? target : target.slice(0, end);
  const cleaned = path.replace(/\/(?:\.|%2e)(?=\/)/gi, '').replace(/\/(?:\.|%2e)$/i, '/');
  return cleaned + target.slice(path.length);
}

/** The inverse of {@link parseTarget}: origin-form. */
export function formatTarget({ route, path }: RoutedTarget): string {
  return route.map((hop) => `/@${formatHop(hop)}`).join('') + path;
}

function parseSegment(segment: string): Hop | undefined {
  if (segment.startsWith('@~')) return parseParked(segment.slice(1));
  const [, hostText, portText] = /^@(\[[^\]]*\]|[^:[\]%]+):(\d{1,5})$/.exec(segment) ?? [];
  if (hostText === undefined || portText === undefined) return undefined;
  const host = parseHost(hostText);
  const port = parsePort(portText);
  // A zone (fe80::1%eth0) has no place in a URL.
  return host === undefined || host.includes('%') || port === undefined ? undefined : { host, port };
}

/**
 * The file's name, decoded, relative to the root: `` for the root itself, a folder's with `/` at its end.
 * Bytes that are not UTF-8 stand in it as in {@link nameOfBytes}.
 * @throws ViaductError BAD_REQUEST for broken percent-encoding or an encoded `/`
 */
export function nameOfPath(path: string): string {
  if (PLAIN_PATH.test(path)) return path.slice(1);
  const encoded = path.replace(/[?#].*$/s, '').replace(/^\/+/, '');
  if (/%2f/i.test(encoded)) throw new ViaductError('BAD_REQUEST', 'the path has an encoded slash');
  if (/%(?![\da-f]{2})/i.test(encoded))
    throw new ViaductError('BAD_REQUEST', 'the path has broken percent-encoding');
  // Heads are read as latin1: a character is a byte, whether it was encoded or not.
  const bytes = encoded.replace(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return nameOfBytes(Buffer.from(bytes, 'latin1'));
}

/** Most of them: nothing in it is encoded. */
const PLAIN_PATH = /^\/[\w-][\w./-]*$/;

/** The query of a path, with its `?`; empty if there is none. */
export function queryOf(path: string): string {
  return /^[^?#]*(\?[^#]*)/s.exec(path)?.[1] ?? '';
}

/** A name as one segment of a relative reference; `@` too is encoded, so that it is never taken for a hop. */
export function encodeSegment(name: string): string {
  const parts = name.split(/([\udc80-\udcff])/u);
  return parts.map((part) => (hasBytes(part) ? encodeBytes(part) : encodeURIComponent(part))).join('');
}

function encodeBytes(name: string): string {
  return replaceBytes(name, (byte) => `%${byte.toString(16).toUpperCase()}`);
}

/** Text in which `user:password@host` may occur, with `…` for each password, so that errors may show it. */
export function withoutPasswords(text: string): string {
  return text
    .split('/')
    .map((part) => {
      const [colon, at] = [part.search(/:(?!\s)/), part.lastIndexOf('@')];
      return colon !== -1 && colon < at ? `${part.slice(0, colon)}:…${part.slice(at)}` : part;
    })
    .join('/');
}
