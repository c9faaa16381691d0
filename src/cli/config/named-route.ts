import { ViaductError } from '../../errors.js';
import { formatHop } from '../../route/hop.js';
import { parseLocation } from '../../route/location.js';
import { withoutTokens } from '../../route/share-link.js';
import { visible } from '../../text.js';
import { configPath, readConfig } from './file.js';

/*
 * A location may begin with the name of a route: `lab:dir/file`. `host:port` is told from it by its digits, whatever the
 * configuration file has, so that a new route changes no location that worked before:
 *
 *   location = name ":" [ "/" ] path          ; with a path that does not begin with 1*DIGIT ( "/" / end )
 */
const BY_NAME = /^([^:/@[\]]+):(?!\/\/|\d+(?:\/|$))(.*)$/s;

/**
 * A location with the hops of its route in place of the name. Other text is returned as it is.
 * @throws ViaductError BAD_ROUTE if there is no such route; as {@link readConfig}
 */
export async function withNamedRoute(where: string): Promise<string> {
  const [, name, path = ''] = BY_NAME.exec(where) ?? [];
  if (name === undefined) await refuseWithoutColon(where);
  // user:password@host, and an IPv6 address without brackets, are better explained by who parses them.
  if (name === undefined || /^:|^[^/@]+@[^/]*:/.test(path)) return where;
  const { routes } = await readConfig();
  const route = routes.get(name);
  if (route !== undefined) return `${route.prefix}/${path.replace(/^\//, '')}`;
  const port = path.split('/', 1)[0] ?? '';
  throw new ViaductError(
    'BAD_ROUTE',
    `"${visible(withoutTokens(where))}": "${visible(port)}" is not a port (1 to 65535), and ${configPath() ?? 'the configuration'} has no route "${visible(name)}"`,
  );
}

/** `lab` and `lab/dir` are no locations, and most likely meant as the route. */
async function refuseWithoutColon(where: string): Promise<void> {
  const [, name, path = ''] = /^([^:/@~[\]]+)(?:\/(.*))?$/s.exec(where) ?? [];
  if (name === undefined || !(await readConfig()).routes.has(name)) return;
  const [shown, right] = [where, `${name}:${path}`].map((text) => visible(withoutTokens(text)));
  throw new ViaductError('BAD_ROUTE', `"${shown}": "${name}" is a route; write "${right}"`);
}

/**
 * Relays as `-J` has them, with the hops of a route in place of its name, which has no port.
 * @throws ViaductError as {@link readConfig}
 */
export async function withNamedRelays(jump: string): Promise<string> {
  const parts = jump.split(',');
  if (parts.every((part) => part.includes(':') || part.trim() === '')) return jump;
  const { routes } = await readConfig();
  return parts
    .map((part) => {
      const prefix = routes.get(part.trim())?.prefix;
      if (prefix === undefined) return part;
      const { scheme, route } = parseLocation(prefix);
      return scheme === 'https' ? prefix.replaceAll('/@', ',') : route.map(formatHop).join(',');
    })
    .join(',');
}
