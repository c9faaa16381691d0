import type { Omitted } from '../../../wire/http/listing.js';
import { type Slices, sortInSlices } from '../slices.js';
import { Facts, type FoldersAndFiles } from './facts.js';

/** As people sort names. */
export const NAME_ORDER = new Intl.Collator('en', { numeric: true }).compare;

/** Sizes and times that were read this long ago are read anew. In ms. */
const FACTS_KEPT_MS = 10_000;

/**
 * The names in a folder, in any order. Only names: 100,000 of them are to cost little, so no object is kept for each. What
 * is derived from them is made when it is first needed, once for all listings that share them.
 */
export class Names implements FoldersAndFiles {
  readonly folders: readonly string[];
  readonly files: readonly string[];
  readonly omitted: Omitted;
  #sorted: Promise<FoldersAndFiles> | undefined;
  #facts: Facts | undefined;

  constructor({ folders, files }: FoldersAndFiles, omitted: Omitted) {
    this.folders = folders;
    this.files = files;
    this.omitted = omitted;
  }

  static readonly none = new Names(
    { folders: [], files: [] },
    { hidden: 0, links: 0, special: 0, unreadable: 0 },
  );

  /** @param inSlices runs the work when it is its turn */
  sorted(inSlices: <T>(work: (slices: Slices) => Promise<T>) => Promise<T>): Promise<FoldersAndFiles> {
    this.#sorted ??= inSlices(async (slices) => ({
      folders: await sortInSlices(this.folders, NAME_ORDER, slices),
      files: await sortInSlices(this.files, NAME_ORDER, slices),
    }));
    return this.#sorted;
  }

  /** Sizes and times, perhaps still to be read. */
  facts(): Facts {
    if (this.#facts === undefined || this.#facts.ageMs > FACTS_KEPT_MS) this.#facts = new Facts(this);
    return this.#facts;
  }
}

export function countOf({ folders, files }: FoldersAndFiles): number {
  return folders.length + files.length;
}

export async function areSame(a: Names, b: Names, slices: Slices): Promise<boolean> {
  const { hidden, links, special } = a.omitted;
  if (hidden !== b.omitted.hidden || links !== b.omitted.links || special !== b.omitted.special) return false;
  for (const [left, right] of [
    [a.folders, b.folders],
    [a.files, b.files],
  ] as const) {
    if (left.length !== right.length) return false;
    for (const [index, name] of left.entries()) {
      if (name !== right[index]) return false;
      if (slices.isOver) await slices.pause();
    }
  }
  return true;
}
