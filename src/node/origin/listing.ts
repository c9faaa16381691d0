import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import Negotiator from 'negotiator';
import pLimit from 'p-limit';
import { formatBytes } from '../../text.js';
import { fsPath, replaceBytes } from '../../route/name.js';
import { encodeSegment } from '../../route/url.js';
import { writableDate } from '../../wire/http/date.js';
import { type RequestHead, valuesOf } from '../../wire/http/head.js';
import { type Omitted, lastLine, nameMembers, omittedText } from '../../wire/http/listing.js';
import { type FolderNames, NAME_ORDER, type Names } from './folder-names.js';
import type { Root } from './root.js';
import type { ServedFolder } from './served-folder.js';
import { PAGE_END, escapeHtml, pageHead } from './html.js';
import type { Reply } from './reply.js';

/** Entries whose size and time are read in a turn, and sent in one piece: about half a millisecond of the main thread. */
const BATCH = 32;

/** Of these so many at once: half of the threads that Node has for it, so that a file system that hangs leaves some. */
const STATS_AT_ONCE = 2;

/** A form, not a link: programs that follow links (`wget -r`) would fetch every folder twice. */
const DOWNLOAD_FORM =
  '<form action="./">Download as <button name="tar">tar</button> <button name="zip">zip</button></form>\n';

interface Row {
  readonly name: string;
  readonly isFolder: boolean;
  readonly size: number;
  readonly modified: Date;
}

const NO_NAMES: Names = { folders: [], files: [], omitted: { hidden: 0, links: 0, special: 0 } };
const EMPTY: Content = {
  rows: (async function* (): AsyncGenerator<readonly Row[]> {})(),
  omitted: NO_NAMES.omitted,
};

/** A folder that is listed, for whom. */
export interface ListingOf {
  readonly folder: ServedFolder;
  /** Relative to the root, with `/` at its end; empty for the root. */
  readonly name: string;
  readonly root: Root;
  /** Folders that are in it beside its own content. */
  readonly shares: ReadonlyMap<string, Root>;
  readonly reader: FolderNames;
  /** The client's network. */
  readonly client: string;
}

/**
 * The listing of a folder, as a page or as JSON by Accept: folders first, then by name. Only the names are
 * held in memory; sizes and times are read while it is sent. HEAD does not read the folder.
 * @param held gets what is to be called when the listing was sent
 * @throws ViaductError UNAVAILABLE if there are too many listings
 */
export async function listFolder(of: ListingOf, request: RequestHead, held: (() => void)[]): Promise<Reply> {
  const content = request.method === 'HEAD' ? EMPTY : await contentOf(of, held);
  const accept = valuesOf(request.fields, 'accept').join(',');
  const type = new Negotiator({ headers: accept === '' ? {} : { accept } }).mediaType([
    'text/html',
    'application/json',
  ]);
  return type === 'application/json'
    ? reply('application/json', asJson(`/${of.name}`, content))
    : reply('text/html; charset=utf-8', asHtml(of, hostOf(request), content));
}

function reply(type: string, body: AsyncIterable<string>): Reply {
  const fields = [
    ['Content-Type', type],
    ['Cache-Control', 'no-cache'],
    ['Vary', 'Accept'],
  ] as const;
  return { status: 200, fields, body };
}

interface Content {
  readonly rows: AsyncIterable<readonly Row[]>;
  readonly omitted: Omitted;
}

async function contentOf(
  { folder, name, root, shares, reader, client }: ListingOf,
  held: (() => void)[],
): Promise<Content> {
  let names = NO_NAMES;
  if (folder.handle !== undefined) {
    const own = await reader.hold(folder, name, root, client);
    held.push(own.release);
    ({ names } = own);
  }
  return { rows: readRows(folder, withShares(names, shares), shares, reader), omitted: names.omitted };
}

function withShares(names: Names, shares: ReadonlyMap<string, Root>): Names {
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

async function* readRows(
  folder: ServedFolder,
  { folders, files }: Names,
  shares: ReadonlyMap<string, Root>,
  reader: FolderNames,
): AsyncGenerator<readonly Row[]> {
  const pathOf = (name: string): string => shares.get(name)?.path ?? join(folder.path, name);
  for (const names of [folders, files]) {
    for (let at = 0; at < names.length; at += BATCH) {
      const batch = names.slice(at, at + BATCH);
      const rows = await reader.turn(folder, () => readBatch(pathOf, batch, names === folders));
      yield rows.flat();
    }
  }
}

async function readBatch(
  pathOf: (name: string) => string,
  names: readonly string[],
  areFolders: boolean,
): Promise<readonly (readonly Row[])[]> {
  const limit = pLimit(STATS_AT_ONCE);
  return Promise.all(names.map((name) => limit(() => readRow(pathOf(name), name, areFolders))));
}

/** Empty if it is gone since the folder was read. */
async function readRow(path: string, name: string, isFolder: boolean): Promise<readonly Row[]> {
  const info = await stat(fsPath(path)).catch(() => undefined);
  return info === undefined
    ? []
    : [{ name, isFolder, size: info.size, modified: writableDate(info.mtimeMs) }];
}

/** `{"path": "/dir/", "entries": [{"name", "type", "size", "modified"}]}`; a folder has no size. */
async function* asJson(path: string, { rows, omitted }: Content): AsyncGenerator<string> {
  yield `{"path":${JSON.stringify(replaceBytes(path, () => '\ufffd'))},"entries":[`;
  let separator = '\n';
  for await (const batch of rows) {
    let text = '';
    for (const { name, isFolder, size, modified } of batch) {
      const type = isFolder ? 'folder' : 'file';
      text +=
        separator +
        JSON.stringify({ ...nameMembers(name), type, size: isFolder ? undefined : size, modified });
      separator = ',\n';
    }
    yield text;
  }
  yield `\n${lastLine(omitted)}\n`;
}

/** As the client, or the relay before this node, calls it. */
function hostOf({ fields }: RequestHead): string {
  return valuesOf(fields, 'host')[0] ?? '';
}

async function* asHtml(
  { name, root }: ListingOf,
  host: string,
  { rows, omitted }: Content,
): AsyncGenerator<string> {
  const heading = readable(`/${name}`);
  yield pageHead(`${host}${heading}`);
  yield `<h1>${escapeHtml(heading)}</h1>\n${DOWNLOAD_FORM}<table><thead><tr><th scope="col">Name</th><th scope="col">Size</th><th scope="col">Modified</th></tr></thead><tbody>\n`;
  if (!root.isTop(name))
    yield '<tr><td><a href="../" aria-label="../ parent folder">../</a></td><td></td><td></td></tr>\n';
  for await (const batch of rows) yield batch.map(htmlRow).join('');
  yield `</tbody></table>\n${footOf(omitted)}${PAGE_END}`;
}

/** What people see of a name: `\\xff` for a byte that is not UTF-8. */
function readable(name: string): string {
  return replaceBytes(name, (byte) => `\\x${byte.toString(16)}`);
}

function footOf(omitted: Omitted): string {
  const text = omittedText(omitted);
  return text === '' ? '' : `<p>Not listed: ${text}.</p>\n`;
}

function htmlRow({ name, isFolder, size, modified }: Row): string {
  const slash = isFolder ? '/' : '';
  const time = modified.toISOString();
  const shown = `<span>${time.slice(0, 10)}</span> <span>${time.slice(11, 16)} UTC</span>`;
  // To read, and the exact number for programs and as a hint.
  const bytes = `<data value="${size}" title="${size} bytes">${formatBytes(size)}</data>`;
  const link = `<a href="./${encodeSegment(name)}${slash}">${escapeHtml(readable(name))}${slash}</a>`;
  return `<tr><td>${link}</td><td>${isFolder ? '' : bytes}</td><td><time datetime="${time}">${shown}</time></td></tr>\n`;
}
