import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { bytesOfName } from '../route/name.js';

/** The files that exist beside a file while it is transferred. */
export interface PartialPaths {
  readonly partial: string;
  readonly sidecar: string;
}

/** The longest name on most file systems. */
const NAME_BYTES = 255;
const LONGEST_SUFFIX = '.part.json.new';

/**
 * The paths of the partial file and its sidecar: `FILE.part` and `FILE.part.json`.
 * @param hidden use a name such as `.viaduct-0123456789abcdef.part` instead, which {@link isPartialName} recognizes.
 *   A folder that is fetched may contain a file `FILE.part` itself. A name that is too long for the suffix gets such
 *   a name too.
 */
export function partialPathsOf(finalPath: string, hidden: boolean): PartialPaths {
  const name = basename(finalPath);
  const fits = bytesOfName(name).length + LONGEST_SUFFIX.length <= NAME_BYTES;
  const short = `.viaduct-${createHash('sha256').update(bytesOfName(name)).digest('hex').slice(0, 16)}`;
  const partial = join(dirname(finalPath), `${fits && !hidden ? name : short}.part`);
  return { partial, sidecar: `${partial}.json` };
}

/** Whether a name can be the hidden name of a partial file, its sidecar or its lock. */
export function isPartialName(name: string): boolean {
  return /^\.viaduct-[\da-f]+\.part/i.test(name);
}

/** After the name of the partial file: nothing, the suffix of the sidecar (final or temporary), or of the lock. */
const SUFFIX = /^(?:\.json(?:\.new)?|\.lock.*)?$/;

/**
 * Two of several paths of which one is the partial file of the other, its sidecar or its lock; undefined if there are none.
 * Takes time in proportion to their number: an origin may have any names.
 */
export function partialConflict(
  targets: readonly string[],
): { readonly target: string; readonly beside: string } | undefined {
  const suspects = targets.filter((target) => target.includes('.part'));
  if (suspects.length === 0) return undefined;
  const owners = new Map(targets.map((target) => [partialPathsOf(target, false).partial, target]));
  for (const beside of suspects) {
    for (const { index, 0: suffix } of beside.matchAll(/\.part/g)) {
      const end = index + suffix.length;
      const target = SUFFIX.test(beside.slice(end)) ? owners.get(beside.slice(0, end)) : undefined;
      if (target !== undefined) return { target, beside };
    }
  }
  return undefined;
}
