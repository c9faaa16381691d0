import { ViaductError } from '../errors.js';
import { type HostHop, formatHop, parseHost, parsePort } from '../route/hop.js';
import { visible } from '../text.js';

/** A user and password for a proxy; both may be empty, but for SOCKS 5. */
export interface ProxyLogin {
  readonly user: string;
  readonly password: string;
}

/**
 * A proxy over which hops are dialled. `http` asks with CONNECT, the others with SOCKS 5. With `socks5` names are looked up
 * here, with `http` and `socks5h` by the proxy.
 */
export interface ProxyConfig {
  readonly scheme: 'http' | 'socks5' | 'socks5h';
  readonly hop: HostHop;
  /** @default none */
  readonly login?: ProxyLogin | undefined;
  /** Hosts that are dialled without the proxy, in the form of `NO_PROXY` (see `isDirect`). @default none */
  readonly noProxy?: string | undefined;
}

/** Of a URL without a port, whatever its scheme: curl's. */
const DEFAULT_PORT = 1080;

/** User and password have a byte for their length (RFC 1929 §2). */
const LOGIN_BYTES = 255;

/** What other programs accept and viaduct does not, and what to do instead. */
const SOCKS_4 = 'SOCKS 4 is not supported; use socks5h://';
const OTHER_SCHEMES: ReadonlyMap<string, string> = new Map([
  ['https', 'a proxy that is itself reached in TLS (https://) is not supported; use http:// or socks5h://'],
  // For curl, socks:// is SOCKS 4.
  ...['socks', 'socks4', 'socks4a'].map((name) => [name, SOCKS_4] as const),
]);

/**
 * The URL of a proxy, as curl's `--proxy` and `HTTPS_PROXY` have it:
 *
 *   url    = [ scheme "://" ] [ user [ ":" password ] "@" ] host [ ":" port ] [ "/" ]
 *   scheme = "http" / "socks5" / "socks5h"     ; without one it is http, in any case of letters
 *
 * User and password are percent-encoded UTF-8. Without a port it is 1080, also for http, as with curl. An IPv6
 * address has brackets.
 * @throws ViaductError USAGE that never has the user or the password in it
 */
export function parseProxy(text: string): ProxyConfig {
  const [, written, rest = ''] = /^(?:([a-z][a-z\d+.-]*):\/\/)?(.*)$/is.exec(text) ?? [];
  const at = rest.lastIndexOf('@');
  const address = rest.slice(at + 1);
  const bad = (why: string): ViaductError => {
    const shown = `${written === undefined ? '' : `${written}://`}${at === -1 ? '' : '…@'}${withoutWords(address)}`;
    return new ViaductError('USAGE', `"${visible(shown)}" is not the URL of a proxy: ${why}`);
  };
  const scheme = (written ?? 'http').toLowerCase();
  if (scheme !== 'http' && scheme !== 'socks5' && scheme !== 'socks5h')
    throw bad(OTHER_SCHEMES.get(scheme) ?? 'it begins with http://, socks5h:// or socks5://');
  const [, host = '', port] = /^(\[[^\]]*\]|[^:/?#]*)(?::([^/?#]*))?\/?$/s.exec(address) ?? [];
  const hop = { host: parseHost(host), port: port === undefined ? DEFAULT_PORT : parsePort(port) };
  if (hop.host === undefined) throw bad('expected scheme://host:port');
  if (hop.port === undefined) throw bad('its port is not 1 to 65535');
  const login = at === -1 ? undefined : parseLogin(rest.slice(0, at), scheme, bad);
  return { scheme, hop: { host: hop.host, port: hop.port }, ...(login && { login }) };
}

/** What stands in place of a port may be a password, where the host was forgotten. */
function withoutWords(address: string): string {
  return address.replace(/^(\[[^\]]*\]|[^:]*):(?!\d{1,5}(?:[/?#]|$)).*$/s, '$1:…');
}

/** The URL of a proxy without user and password, for messages. */
export function formatProxy({ scheme, hop }: ProxyConfig): string {
  return `${scheme}://${formatHop(hop)}`;
}

function parseLogin(
  text: string,
  scheme: ProxyConfig['scheme'],
  bad: (why: string) => ViaductError,
): ProxyLogin {
  const colon = text.indexOf(':');
  const [user, password] = [
    colon === -1 ? text : text.slice(0, colon),
    colon === -1 ? '' : text.slice(colon + 1),
  ].map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw bad('a "%" in user or password is written %25');
    }
  });
  const login = { user: user ?? '', password: password ?? '' };
  if (scheme === 'http' && login.user.includes(':')) throw bad('with http:// a user has no colon (RFC 7617)');
  const lengths = [login.user, login.password].map((part) => Buffer.byteLength(part));
  if (scheme !== 'http' && lengths.some((length) => length === 0 || length > LOGIN_BYTES))
    throw bad(`with SOCKS 5, user and password have 1 to ${LOGIN_BYTES} bytes`);
  return login;
}
