import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';

/** What stands beside a file while it comes. */
export interface PartialPaths {
  readonly partial: string;
  readonly sidecar: string;
}

/** A name has at most 255 bytes on most file systems. */
const NAME_BYTES = 255;
const LONGEST_SUFFIX = '.part.json.new';

/**
 * Where the bytes of a file are until they are whole: `FILE.part`, which people recognize.
 * @param inTree the names beside it come from afar, and one may be `FILE.part`: it gets one that none of them
 *   can have, as a file does whose own name is too long to be made longer
 */
export function partialPathsOf(final: string, inTree: boolean): PartialPaths {
  const name = basename(final);
  const fits = Buffer.byteLength(name) + LONGEST_SUFFIX.length <= NAME_BYTES;
  const short = `.viaduct-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
  const partial = join(dirname(final), `${fits && !inTree ? name : short}.part`);
  return { partial, sidecar: `${partial}.json` };
}

/** Whether a name could be that of a partial file in a tree, or of what stands beside one. */
export function isPartialName(name: string): boolean {
  return /^\.viaduct-[\da-f]+\.part/i.test(name);
}

/** What follows the partial file's name: itself, its sidecar, old and new, and its lock. */
const BESIDE = /^(?:\.json(?:\.new)?|\.lock.*)?$/;

/** Whether a file named `other` would get in the way while `target` comes, which is no file of a tree. */
export function isBeside(target: string, other: string): boolean {
  const { partial } = partialPathsOf(target, false);
  return other.startsWith(partial) && BESIDE.test(other.slice(partial.length));
}
