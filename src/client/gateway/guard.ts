import type { IncomingMessage } from 'node:http';
import { isSecret } from './secret.js';

/*
 * Who may read over the gateway: a client that knows the secret in front of the path. A browser runs pages of others beside it,
 * so its requests have to come from the address bar, a link, or a page of the gateway:
 *
 * - `Host` is the address that was printed: no other name leads here (DNS rebinding).
 * - `Origin`, which browsers send with what a script wants to read, is absent or the gateway's own.
 * - `Sec-Fetch-Site` is `same-origin` or `none`, or absent. A page of a hop has an opaque origin (its
 *   sandbox), and so counts as another site: it may lead to other pages, and show pictures and media, which other sites
 *   could not read.
 */

/** What navigation may bring: pages, and downloads. Not frames. */
const OPENED = new Set(['document', 'empty']);
/** What an opaque origin may load: no page can read these of another origin. */
const SHOWN = new Set(['image', 'audio', 'video']);

/** The first segment of a target in origin-form, and the rest, which may be empty. */
export interface SplitTarget {
  readonly first: string;
  readonly rest: string;
}

/** Takes a target apart; undefined if it is not in origin-form. */
export function splitTarget(target: string): SplitTarget | undefined {
  const [, first = '', rest = ''] = /^\/([^/?#]*)([^#]*)/.exec(target) ?? [];
  return target.startsWith('/') ? { first, rest } : undefined;
}

/**
 * Whether a request may be answered, apart from its secret.
 * @param host as printed, with the port
 */
export function isOurs({ headers, rawHeaders }: IncomingMessage, host: string): boolean {
  // Node takes the first of several.
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length !== 1 || headers.host !== host) return false;
  if (headers.origin !== undefined && headers.origin !== `http://${host}`) return false;
  return headers['service-worker'] === undefined && isFromHere(headers);
}

function isFromHere(headers: IncomingMessage['headers']): boolean {
  const [site, mode, kind] = ['sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'].map((name) =>
    String(headers[name] ?? ''),
  );
  if (site === '' || site === 'same-origin' || site === 'none') return true;
  return (mode === 'navigate' && OPENED.has(kind ?? '')) || (mode === 'no-cors' && SHOWN.has(kind ?? ''));
}

/** The path at the origin that a request means; undefined if its secret is wrong. */
export function pathBehind({ first, rest }: SplitTarget, secret: string): string | undefined {
  if (!isSecret(first, secret)) return undefined;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
