import type { Signal } from '../../../signal.js';
import { join } from 'node:path';
import Negotiator from 'negotiator';
import { type RequestHead, valuesOf } from '../../../wire/http/head.js';
import type { FolderNames } from '../folder-names.js';
import type { Reply } from '../reply.js';
import type { Root } from '../root.js';
import type { ServedFolder } from '../served-folder.js';
import { choose } from './choose.js';
import { type EntryInfo, entryInfo } from './entry-info.js';
import { Facts, type FoldersAndFiles } from './facts.js';
import { jsonListing } from './json.js';
import { NAME_ORDER, Names } from './names.js';
import { htmlListing } from './page.js';
import { NO_QUERY, parseListingQuery } from './query.js';
import { type Content, Rows } from './rows.js';

/** A folder that is listed, for whom. */
export interface ListingOf {
  readonly folder: ServedFolder;
  /** Relative to the root, with `/` at its end; empty for the root. */
  readonly name: string;
  /** The same as the client has written it: at the origin, percent-encoded, with its link and query. */
  readonly path: string;
  readonly root: Root;
  /** Folders that are in it beside its own content. */
  readonly shares: ReadonlyMap<string, Root>;
  readonly reader: FolderNames;
  /** The client's network. */
  readonly client: string;
  /** The client is gone. */
  readonly signal: Signal;
}

/**
 * The listing of a folder, as a page or as JSON by Accept. Whoever asks for a page of it, or is a browser, gets that page;
 * other programs get the whole folder, folders first, then by name. Only the names are held in memory; sizes and times are
 * read while it is sent. HEAD does not read the folder.
 * @param held gets what is to be called when the listing was sent
 * @throws ViaductError UNAVAILABLE if there are too many listings, BAD_REQUEST for a query that makes no sense
 */
export async function listFolder(of: ListingOf, request: RequestHead, held: (() => void)[]): Promise<Reply> {
  const form = formFor(request);
  const query = parseListingQuery(of.path) ?? (form === 'browser' ? NO_QUERY : undefined);
  const names = await namesFor(of, request, held);
  const shown = withShares(names, of.shares);
  const pathOf = (name: string): string => of.shares.get(name)?.path ?? join(of.folder.path, name);
  const infoOf = (name: string): Promise<EntryInfo> =>
    entryInfo(pathOf(name), () => of.root.open(of.name + name));
  const choice =
    query &&
    (await choose(
      {
        ...of,
        names: shown,
        facts: () => (shown === names ? names.facts() : new Facts(shown)),
        infoOf,
      },
      query,
    ));
  const rows = new Rows({ ...of, infoOf });
  const inOrder = async (): Promise<FoldersAndFiles> =>
    choice?.names(of.signal) ??
    sortedShares(await names.sorted((work) => of.reader.inSlices(work)), of.shares);
  const content: Content = {
    choice,
    rows: (async function* () {
      yield* rows.read(await inOrder());
    })(),
    omitted: () => ({ ...names.omitted, unreadable: rows.unreadable }),
  };
  return form === 'json'
    ? reply('application/json', jsonListing(of.name, content))
    : reply('text/html; charset=utf-8', htmlListing(of, request, content, form === 'browser'));
}

/** A browser names HTML; programs such as wget and rclone take anything. */
function formFor({ fields }: RequestHead): 'json' | 'browser' | 'html' {
  const accept = valuesOf(fields, 'accept').join(',');
  const type = new Negotiator({ headers: accept === '' ? {} : { accept } }).mediaType([
    'text/html',
    'application/json',
  ]);
  if (type === 'application/json') return 'json';
  return /\btext\/html\b/i.test(accept) ? 'browser' : 'html';
}

function reply(type: string, body: AsyncIterable<string>): Reply {
  const fields = [
    ['Content-Type', type],
    ['Cache-Control', 'no-cache'],
    ['Vary', 'Accept'],
  ] as const;
  return { status: 200, fields, body };
}

async function namesFor(
  { folder, name, root, reader, client }: ListingOf,
  { method }: RequestHead,
  held: (() => void)[],
): Promise<Names> {
  if (folder.handle === undefined || method === 'HEAD') return Names.none;
  const { names, release } = await reader.hold(folder, name, root, client);
  held.push(release);
  return names;
}

function withShares(names: Names, shares: ReadonlyMap<string, Root>): FoldersAndFiles {
  return shares.size === 0 ? names : { folders: [...names.folders, ...shares.keys()], files: names.files };
}

function sortedShares(names: FoldersAndFiles, shares: ReadonlyMap<string, Root>): FoldersAndFiles {
  if (shares.size === 0) return names;
  const folders = [...names.folders];
  for (const name of shares.keys()) folders.splice(placeIn(folders, name), 0, name);
  return { ...names, folders };
}

/** Where a name belongs among sorted ones. */
function placeIn(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (NAME_ORDER(names[middle] ?? '', name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
