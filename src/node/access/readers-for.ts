import { resolve } from 'node:path';
import { ViaductError, asViaductError } from '../../errors.js';
import { type AuthorizedKeys, fixedAuthorized, watchAuthorized } from '../../identity/authorized-keys.js';
import { type ShareSecret, loadShareSecret, watchShareSecret } from '../../identity/share-secret.js';
import { SECRET_BYTES } from '../../route/share-token.js';
import type { NodeTimes } from '../context.js';
import type { NodeOptions } from '../options.js';
import type { Root } from '../origin/root.js';
import type { Roots } from '../origin/roots.js';
import { KeyReaders } from './key-readers.js';
import { LinkReaders } from './link-readers.js';
import { type AccessWay, type AccessWayName, type Place, Readers } from './readers.js';

type Emit = NonNullable<NodeOptions['onEvent']>;
type AccessOption = NonNullable<NodeOptions['access']>;
type Ages = Pick<NodeTimes, 'authorizedAgeMs'>;

/**
 * A change of the list of authorized keys, or of the secret of links, is noticed so much later at most: to look at the file for each of many small requests
 * would take a tenth of their processor time (measured).
 */
export const AUTHORIZED_AGE_MS = 100;

/**
 * Who may read what, as the options of a node say. A list of keys that cannot be used is reported, and nobody may read until it can.
 * @throws ViaductError USAGE for options that do not go together, or a malformed line among them; READ_FAILED, WRITE_FAILED
 *   for the secret of links
 */
export async function readersFor(options: NodeOptions, roots: Roots, ages: Ages): Promise<Readers> {
  const { access = 'public', shares = [] } = options;
  const emit = options.onEvent ?? ((): void => {});
  const links = linksOf(options, emit, ages);
  /** Each is made once, for all folders. */
  const ways = new Map<AccessWayName, AccessWay>();
  const placeOf = async (root: Root, asked: AccessOption): Promise<Place> => {
    if (asked === 'public') return { root, access: 'public', links };
    const names = new Set<AccessWayName>(typeof asked === 'string' ? [asked] : asked);
    if (names.size === 0) throw usage('access: no way to let clients in');
    if (names.has('keys') && !ways.has('keys')) ways.set('keys', await keysFor(options, emit, ages));
    if (names.has('links') && !ways.has('links')) ways.set('links', await checkedLinks(options, links));
    // In one order, whichever was needed first: the first one's refusal is reported.
    const inOrder = (['keys', 'links'] as const).map((name) =>
      names.has(name) ? ways.get(name) : undefined,
    );
    return { root, access: inOrder.filter((way) => way !== undefined) };
  };
  const places = new Map<string, Place>();
  for (const [name, root] of roots.shares)
    places.set(name, await placeOf(root, shares.find((share) => share.name === name)?.access ?? access));
  return new Readers(await placeOf(roots.top, access), places);
}

async function keysFor({ authorized, identity }: NodeOptions, emit: Emit, ages: Ages): Promise<KeyReaders> {
  if (identity === undefined) throw usage('access: keys needs TLS, and so an identity');
  if (authorized === undefined) throw usage('access: keys needs a list of authorized keys');
  const keys = new KeyReaders(keysOf(authorized, ages), (report) => emit({ type: 'authorized', ...report }));
  await keys.current();
  return keys;
}

function keysOf(authorized: string | readonly string[], { authorizedAgeMs }: Ages): AuthorizedKeys {
  if (typeof authorized === 'string') return watchAuthorized(resolve(authorized), authorizedAgeMs);
  try {
    return fixedAuthorized(authorized);
  } catch (error) {
    throw usage(asViaductError(error).message);
  }
}

/** A node that opens links has a secret from its start on. */
async function checkedLinks(
  { shareSecret }: NodeOptions,
  links: LinkReaders | undefined,
): Promise<LinkReaders> {
  if (links === undefined) throw usage('access: links needs a secret');
  if (typeof shareSecret === 'string') await loadShareSecret(resolve(shareSecret));
  await links.current();
  return links;
}

function linksOf({ shareSecret }: NodeOptions, emit: Emit, ages: Ages): LinkReaders | undefined {
  if (shareSecret === undefined) return undefined;
  return new LinkReaders(secretOf(shareSecret, ages), (report) => emit({ type: 'share-secret', ...report }));
}

function secretOf(secret: string | Uint8Array, { authorizedAgeMs }: Ages): ShareSecret {
  if (typeof secret === 'string') return watchShareSecret(resolve(secret), authorizedAgeMs);
  if (secret.length !== SECRET_BYTES) throw usage(`the secret of links has not ${SECRET_BYTES} bytes`);
  const fixed = Buffer.from(secret);
  return { current: async () => fixed };
}

function usage(message: string): ViaductError {
  return new ViaductError('USAGE', message);
}
