import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { systemCode } from '../../errors.js';
import { fsPath, nameOfBytes } from '../../route/name.js';

/** Files and folders that are never served, by whatever name they are reached: those with private keys. */
export class Secrets {
  /** Real paths. */
  readonly #paths: string[] = [];
  /** A hard link or a bind mount has another path. */
  readonly #files = new Set<string>();

  /** @param paths files, and folders with all that is in them. One that does not exist is left out */
  static async of(paths: readonly string[]): Promise<Secrets> {
    const secrets = new Secrets();
    for (const path of paths) {
      try {
        await secrets.#add(path);
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw error;
      }
    }
    return secrets;
  }

  async #add(path: string): Promise<void> {
    this.#paths.push(nameOfBytes(await realpath(fsPath(path), { encoding: 'buffer' })));
    const info = await stat(fsPath(path), { bigint: true });
    if (!info.isDirectory()) return void this.#files.add(idOf(info));
    for (const name of await readdir(path)) {
      this.#files.add(idOf(await stat(join(path, name), { bigint: true })));
    }
  }

  /** @param real a real path */
  includes(real: string): boolean {
    return this.#paths.some((path) => real === path || real.startsWith(path + sep));
  }

  /** Whether what is open is one of the files. */
  hasFile(file: { readonly dev: bigint; readonly ino: bigint }): boolean {
    return this.#files.has(idOf(file));
  }

  /** Whether some are in a folder. @param prefix its real path and a separator */
  areIn(prefix: string): boolean {
    return this.#paths.some((path) => path.startsWith(prefix));
  }
}

function idOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`;
}
