import { ViaductError, withContext } from '../../errors.js';
import { parseLocation } from '../../route/location.js';
import { withoutTokens } from '../../route/share-link.js';
import { visible } from '../../text.js';
import { isTable } from './toml.js';

/** `[route.lab]` of a configuration file. */
export interface NamedRoute {
  /** The beginning of a location, such as `bastion:12000/@gw:9000`; a path follows. */
  readonly prefix: string;
  /** `FILE:LINE` */
  readonly place: string;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i;
const SCHEMES = new Set(['http', 'https']);

/** The tables `[route.NAME]` of a configuration file, as they are read. */
export class RouteTables {
  readonly #routes = new Map<string, NamedRoute>();
  /** Named by a header, with its place. */
  readonly #begun = new Map<string, string>();

  /** @param names of the key, behind `route` @throws ViaductError BAD_CONFIG */
  add([name, key, ...more]: readonly string[], value: unknown, place: string): void {
    if (name === undefined) {
      if (!isTable(value)) throw bad(place, 'route must be a table, such as [route.lab]');
      return;
    }
    const table = `route.${visible(name)}`;
    if (!NAME.test(name) || SCHEMES.has(name.toLowerCase()))
      throw bad(
        place,
        `"${visible(name)}" is not a valid name of a route: use letters, digits and "._-", but not http or https`,
      );
    if (!this.#begun.has(name)) this.#begun.set(name, place);
    if (key === undefined) {
      if (!isTable(value)) throw bad(place, `${table} must be a table, [${table}], with a line via = […]`);
      return;
    }
    if (key !== 'via' || more.length > 0) {
      const rest = visible([key, ...more].join('.'));
      const quoted = isTable(value)
        ? `, and a name with a dot is quoted: [route."${visible(name)}.${rest}"]`
        : '';
      throw bad(place, `unknown key "${table}.${rest}"; a route has via${quoted}`);
    }
    this.#routes.set(name, { prefix: prefixOf(value, place), place });
  }

  /** @throws ViaductError BAD_CONFIG for a table without `via` */
  all(): ReadonlyMap<string, NamedRoute> {
    for (const [name, place] of this.#begun)
      if (!this.#routes.has(name)) throw bad(place, `route.${visible(name)} has no via`);
    return this.#routes;
  }
}

function prefixOf(value: unknown, place: string): string {
  if (!Array.isArray(value) || value.length === 0 || !value.every((hop) => typeof hop === 'string'))
    throw bad(place, 'via must be a list of hops, such as ["bastion:12000", "gw:9000"]');
  const prefix = value.join('/@');
  try {
    const { route, path } = parseLocation(`${prefix}/`);
    if (route.length === value.length && path === '/') return prefix;
  } catch (error) {
    throw withContext(error, (message) => `${place}: via: ${message}`);
  }
  throw bad(place, `via: "${visible(withoutTokens(prefix))}" is not a list of hops, each host:port or ~name`);
}

function bad(place: string, what: string): ViaductError {
  return new ViaductError('BAD_CONFIG', `${place}: ${what}`);
}
