import type { Stats } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { ViaductError, systemCode, systemReason } from '../../errors.js';
import { realpath, stat } from '../../files/fs.js';
import { RESERVED } from '../../route/share-link.js';
import { MAX_DEPTH, type SharedKind } from '../../route/share-token.js';
import type { Subtree } from '../../route/subtree.js';
import { visible } from '../../text.js';
import { checkShareNames } from '../../node/origin/roots.js';
import type { ShareArgument } from '../shares.js';

/** What is shared: below the root of the node. */
export interface Shared {
  readonly below: Subtree;
  readonly kind: SharedKind;
}

/** A folder that the node serves. */
interface Top {
  /** The name under which it is shared; undefined for the root. */
  readonly share: string | undefined;
  readonly option: string;
  /** Its real path. */
  readonly path: string;
}

/**
 * Finds what a path means: in the working folder, as for every command, or at the node, as in a URL. If both exist and are not
 * the same, neither is taken.
 * @param rootOption undefined if the node has no root, only shares
 * @throws ViaductError USAGE
 */
export async function findShared(
  path: string,
  rootOption: string | undefined,
  shares: readonly ShareArgument[] = [],
): Promise<Shared> {
  const tops = await Promise.all([
    ...shares.map(({ name, folder }) => topAt(folder, name)),
    ...(rootOption === undefined ? [] : [topAt(rootOption, undefined)]),
  ]);
  checkShareNames(shares.map(({ name }) => name));
  /** By the real path. */
  const found = new Map<string, Shared>();
  const folders = new Set<string>();
  for (const [top, below] of [placeOf(resolve(path), tops), placeAtNode(path, tops)].flat()) {
    const info = await infoOf(join(top.path, ...below));
    if (info === undefined) continue;
    found.set(await check(top, below, path, shares), {
      below: [...nameOf(top), ...below],
      kind: kindOf(info, path),
    });
    folders.add(visible(top.path));
  }
  const [shared, other] = found.values();
  const everywhere = tops.map((top) => visible(top.path)).join(' or ');
  if (shared === undefined)
    throw usage(
      `there is no "${visible(path)}" in the working folder or below ${everywhere}; --root and --share name the folders that the node serves`,
    );
  if (other !== undefined)
    throw usage(
      `"${visible(path)}" exists in the working folder and in ${[...folders].join(' or ')}; write an absolute path`,
    );
  return shared;
}

async function topAt(option: string, share: string | undefined): Promise<Top> {
  try {
    return { share, option, path: await realpath(option) };
  } catch (error) {
    const what = share === undefined ? 'the root' : `the share "${visible(share)}":`;
    throw usage(`${what} folder ${visible(option)} cannot be used: ${systemReason(error)}`, error);
  }
}

function nameOf({ share }: Top): Subtree {
  return share === undefined ? [] : [share];
}

type Place = readonly [top: Top, below: Subtree];

/** Of a path of this system: in the innermost folder, as at the node. Empty outside of all. */
function placeOf(path: string, tops: readonly Top[]): readonly Place[] {
  const places = tops.flatMap((top): readonly Place[] => {
    const below = insideOf(top, path);
    return below === undefined ? [] : [[top, below]];
  });
  return places.toSorted(([a], [b]) => b.path.length - a.path.length).slice(0, 1);
}

/** Of a path at the node: its first segment may be the name of a share. */
function placeAtNode(path: string, tops: readonly Top[]): readonly Place[] {
  const [first, ...rest] = path.split(sep).filter((segment) => segment !== '' && segment !== '.');
  const share = tops.find((top) => top.share !== undefined && top.share === first);
  if (share !== undefined) return placeOf(join(share.path, ...rest), [share]);
  const root = tops.find((top) => top.share === undefined);
  return root === undefined ? [] : placeOf(join(root.path, path), tops);
}

/** The segments of a path inside of a folder, as it is written; undefined outside of it. */
function insideOf({ path: real, option }: Top, path: string): Subtree | undefined {
  // The folder may be reached by a link, too.
  for (const top of [real, resolve(option)]) {
    const segments = relative(top, path)
      .split(sep)
      .filter((segment) => segment !== '');
    // Absolute: on another drive.
    if (segments[0] !== '..' && !isAbsolute(relative(top, path))) return segments;
  }
  return undefined;
}

async function infoOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw usage(`${visible(path)} cannot be read: ${systemReason(error)}`, error);
  }
}

function kindOf(info: Stats, path: string): SharedKind {
  if (info.isDirectory()) return 'folder';
  if (info.isFile()) return 'file';
  throw usage(`"${visible(path)}" is neither a file nor a folder`);
}

/** What no node would serve gets no link. @returns the real path */
async function check(
  top: Top,
  below: Subtree,
  path: string,
  shares: readonly ShareArgument[],
): Promise<string> {
  const { name, access } = shares.find((share) => share.name === (top.share ?? below[0])) ?? {};
  if (name !== undefined && top.share === undefined)
    throw usage(`"${visible(path)}" is hidden by the share "${visible(name)}"`);
  if (access === 'keys')
    throw usage(`no link opens the share "${visible(name ?? '')}", which has access=keys`);
  if (nameOf(top).length + below.length > MAX_DEPTH)
    throw usage(`"${visible(path)}" is deeper than ${MAX_DEPTH} folders`);
  if (top.share === undefined && below[0] === RESERVED)
    throw usage(`what is in ${RESERVED} below the root is never served`);
  const real = await realpath(join(top.path, ...below));
  const prefix = top.path.endsWith(sep) ? top.path : top.path + sep;
  if (real !== top.path && !real.startsWith(prefix))
    throw usage(
      `"${visible(path)}" is a link that leads out of the ${top.share === undefined ? 'root' : 'share'}`,
    );
  return real;
}

function usage(message: string, cause?: unknown): ViaductError {
  return new ViaductError('USAGE', message, { cause });
}
