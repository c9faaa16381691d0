import type { Signal } from '../../../signal.js';
import { ViaductError } from '../../../errors.js';
import type { FolderNames } from '../folder-names.js';
import type { ServedFolder } from '../served-folder.js';
import { type Slices, firstInSlices } from '../slices.js';
import type { EntryInfo } from './entry-info.js';
import { Facts, type FoldersAndFiles } from './facts.js';
import { NAME_ORDER } from './names.js';
import type { ListingQuery } from './query.js';
import { shownName } from './shown-name.js';

/** Entries on a page: with names of usual length less than 100 KB. */
export const PAGE_ENTRIES = 250;

/** Entries that are sorted by size or time: 25 µs each, in batches. */
export const SORTED_ENTRIES = 200_000;

/** So few are read anew for each page. */
const FEW_ENTRIES = 1000;

/** A folder of which pages are chosen. */
export interface ChoiceOf {
  readonly folder: ServedFolder;
  readonly names: FoldersAndFiles;
  /** Sizes and times of all of them. */
  readonly facts: () => Facts;
  readonly infoOf: (name: string) => Promise<EntryInfo>;
  readonly reader: FolderNames;
}

/** A page of a listing. */
export interface Choice {
  readonly query: ListingQuery;
  /** Folders and files that the query lets through, on all pages. */
  readonly folders: number;
  readonly files: number;
  /** At least 1. */
  readonly pages: number;
  /** Whether there are few enough to be sorted by size or time. */
  readonly isSortable: boolean;
  /**
   * Those on the page, in order; none behind the last page.
   * @throws the signal's reason
   */
  names(signal: Signal): Promise<FoldersAndFiles>;
}

/** @throws ViaductError BAD_REQUEST if there are too many entries for the order */
export async function choose(of: ChoiceOf, query: ListingQuery): Promise<Choice> {
  const { names, reader } = of;
  const has = filterOf(query.text);
  const [folders, files] = await reader.inSlices(
    async (slices) =>
      [await countIn(names.folders, has, slices), await countIn(names.files, has, slices)] as const,
  );
  const total = folders + files;
  const isSortable = total <= SORTED_ENTRIES;
  if (query.sort !== 'name' && !isSortable) {
    const message = `${total} entries are too many to sort by ${query.sort}, which works up to ${SORTED_ENTRIES}; filter them by name (?q=TEXT)`;
    throw new ViaductError('BAD_REQUEST', message);
  }
  const pages = Math.max(1, Math.ceil(total / PAGE_ENTRIES));
  const from = (query.page - 1) * PAGE_ENTRIES;
  return {
    query,
    folders,
    files,
    pages,
    isSortable,
    names: async (signal) => {
      if (from >= total) return { folders: [], files: [] };
      const ordered = query.sort === 'name' ? { names } : await withFacts(of, query, total, signal);
      return reader.inSlices(async (slices) => {
        const part = (
          kind: keyof FoldersAndFiles,
          start: number,
          end: number,
        ): Promise<readonly string[]> => {
          const compare = orderOf(kind, ordered, query);
          return partOf(ordered.names[kind], { has, compare, start, end }, slices);
        };
        return {
          folders: await part('folders', from, Math.min(from + PAGE_ENTRIES, folders)),
          files: await part('files', Math.max(0, from - folders), from + PAGE_ENTRIES - folders),
        };
      });
    },
  };
}

type Has = (name: string) => boolean;

const EVERYTHING: Has = () => true;

function filterOf(text: string): Has {
  if (text === '') return EVERYTHING;
  const wanted = folded(text);
  return (name) => folded(shownName(name)).includes(wanted);
}

/** Without the differences that people do not mean. */
function folded(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

async function countIn(names: readonly string[], has: Has, slices: Slices): Promise<number> {
  if (has === EVERYTHING) return names.length;
  let count = 0;
  for (const name of names) {
    if (slices.isOver) await slices.pause();
    if (has(name)) count += 1;
  }
  return count;
}

async function matching(names: readonly string[], has: Has, slices: Slices): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) {
    if (slices.isOver) await slices.pause();
    if (has(name)) found.push(name);
  }
  return found;
}

interface Ordered {
  readonly names: FoldersAndFiles;
  /** Of these names. */
  readonly facts?: Facts;
}

/** Names with what they are to be sorted by: of few that are filtered, or of all, which is kept for the next page. */
async function withFacts(
  { folder, names, facts, infoOf, reader }: ChoiceOf,
  { text }: ListingQuery,
  total: number,
  signal: Signal,
): Promise<Ordered> {
  const isOfFew = total <= FEW_ENTRIES || names.folders.length + names.files.length > SORTED_ENTRIES;
  const has = filterOf(text);
  const chosen = isOfFew
    ? await reader.inSlices(async (slices) => ({
        folders: await matching(names.folders, has, slices),
        files: await matching(names.files, has, slices),
      }))
    : names;
  const read = isOfFew ? new Facts(chosen) : facts();
  await read.read(infoOf, (batch) => reader.turn(folder, batch), signal);
  return { names: chosen, facts: read };
}

function orderOf(
  kind: keyof FoldersAndFiles,
  { names, facts }: Ordered,
  { sort, order }: ListingQuery,
): (a: number, b: number) => number {
  const sign = order === 'asc' ? 1 : -1;
  const list = names[kind];
  const byName = (a: number, b: number): number => NAME_ORDER(list[a] ?? '', list[b] ?? '');
  if (facts === undefined) return (a, b) => sign * byName(a, b);
  if (sort === 'time') return (a, b) => sign * (facts.time(kind, a) - facts.time(kind, b)) || byName(a, b);
  // Folders have no size.
  return kind === 'folders' ? byName : (a, b) => sign * (facts.size(a) - facts.size(b)) || byName(a, b);
}

interface Part {
  readonly has: Has;
  readonly compare: (a: number, b: number) => number;
  readonly start: number;
  readonly end: number;
}

async function partOf(
  names: readonly string[],
  { has, compare, start, end }: Part,
  slices: Slices,
): Promise<readonly string[]> {
  if (end <= start) return [];
  const filter = { has: (index: number) => has(names[index] ?? ''), compare };
  const first = await firstInSlices(end, names.length, filter, slices);
  return first.slice(start, end).map((index) => names[index] ?? '');
}
