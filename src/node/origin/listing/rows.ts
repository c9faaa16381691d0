import { ViaductError } from '../../../errors.js';
import { writableDate } from '../../../wire/http/date.js';
import type { Omitted } from '../../../wire/http/listing.js';
import type { FolderNames } from '../folder-names.js';
import type { ServedFolder } from '../served-folder.js';
import type { Choice } from './choose.js';
import type { EntryInfo } from './entry-info.js';
import { BATCH, type FoldersAndFiles, forEach } from './facts.js';

/** An entry as it is listed. */
export interface Row {
  readonly name: string;
  readonly isFolder: boolean;
  readonly size: number;
  readonly modified: Date;
}

/** What a listing has, in whatever form. */
export interface Content {
  /** The page that was asked for; undefined: all of the folder, by name. */
  readonly choice: Choice | undefined;
  readonly rows: AsyncIterable<readonly Row[]>;
  /** What is not listed, once all rows have been read. */
  readonly omitted: () => Omitted;
}

/** Whose rows are read. */
export interface RowsOf {
  readonly folder: ServedFolder;
  readonly infoOf: (name: string) => Promise<EntryInfo>;
  readonly reader: FolderNames;
}

/** Rows in batches, and how many of the entries read so far could not be read. */
export class Rows {
  readonly #of: RowsOf;
  unreadable = 0;

  constructor(of: RowsOf) {
    this.#of = of;
  }

  async *read({ folders, files }: FoldersAndFiles): AsyncGenerator<readonly Row[]> {
    const { folder, reader } = this.#of;
    for (const names of [folders, files]) {
      for (let at = 0; at < names.length; at += BATCH) {
        const batch = names.slice(at, at + BATCH);
        const rows = await reader.turn(folder, () =>
          forEach(batch, (name) => this.#row(name, names === folders)),
        );
        yield rows.flat();
      }
    }
  }

  /** Empty if it is gone since the folder was read, or cannot be read. */
  async #row(name: string, isFolder: boolean): Promise<readonly Row[]> {
    try {
      const { size, mtimeMs } = await this.#of.infoOf(name);
      return [{ name, isFolder, size, modified: writableDate(mtimeMs) }];
    } catch (error) {
      if (!isGone(error)) this.unreadable += 1;
      return [];
    }
  }
}

function isGone(error: unknown): boolean {
  if (error instanceof ViaductError) return error.code === 'NOT_FOUND';
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
