import type { BigIntStats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fsPath, nameOfBytes } from '../../route/name.js';

/**
 * The folders that a node serves side by side, each perhaps for other readers. What is in several of them, since one is inside
 * another, is served by the innermost one only.
 */
export class Neighbours {
  /** Real paths, and those that were given, which may be links. */
  readonly #paths: Set<string>;
  /** A folder may be reached by another spelling, may be moved, and may be mounted twice. */
  readonly #ids: ReadonlyMap<string, string>;

  private constructor(paths: Set<string>, ids: ReadonlyMap<string, string>) {
    this.#paths = paths;
    this.#ids = ids;
  }

  static readonly none = new Neighbours(new Set(), new Map());

  /** @param folders real path by the path that was given */
  static async of(
    folders: readonly { readonly given: string; readonly real: string }[],
  ): Promise<Neighbours> {
    const paths = new Set<string>();
    const ids = new Map<string, string>();
    for (const { given, real } of folders) {
      paths.add(real);
      const above = await realpath(dirname(resolve(given)), { encoding: 'buffer' });
      paths.add(join(nameOfBytes(above), basename(resolve(given))));
      ids.set(idOf(await stat(fsPath(real), { bigint: true })), real);
    }
    return new Neighbours(paths, ids);
  }

  get areNone(): boolean {
    return this.#paths.size === 0;
  }

  /** The first two paths of one folder, which may be the same. @returns undefined if there are none */
  static async sameFolder(reals: readonly string[]): Promise<readonly [string, string] | undefined> {
    const seen = new Map<string, string>();
    for (const real of reals) {
      const id = idOf(await stat(fsPath(real), { bigint: true }));
      const before = seen.get(id);
      if (before !== undefined) return [before, real];
      seen.set(id, real);
    }
    return undefined;
  }

  /** Whether another folder inside of `own` has a path, by its text. Both without links in the folders above their last name. */
  has(path: string, own: string): boolean {
    const prefix = withSeparator(own);
    for (const other of this.#paths)
      if (
        other !== own &&
        other.startsWith(prefix) &&
        (path === other || path.startsWith(withSeparator(other)))
      )
        return true;
    return false;
  }

  /** The same by what the folders are. What cannot be looked at any more is taken for one of theirs. @param real inside of `own` */
  async have(real: string, own: string): Promise<boolean> {
    if (this.#paths.size === 0) return false;
    if (this.has(real, own)) return true;
    const prefix = withSeparator(own);
    for (let folder = real; folder.startsWith(prefix) && folder !== own; folder = dirname(folder)) {
      const info = await stat(fsPath(folder), { bigint: true }).catch(() => undefined);
      const known = info === undefined ? folder : this.#ids.get(idOf(info));
      if (known !== undefined && known !== own) return true;
    }
    return false;
  }
}

function idOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** What the path of everything inside of a folder begins with. */
export function withSeparator(path: string): string {
  return path.endsWith(sep) ? path : path + sep;
}
