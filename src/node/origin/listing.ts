import { type Dirent } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import Negotiator from 'negotiator';
import { formatBytes } from '../../text.js';
import { encodeSegment } from '../../route/url.js';
import { writableDate } from '../../wire/http/date.js';
import { type RequestHead, valuesOf } from '../../wire/http/head.js';
import type { Root, ServedFolder } from './root.js';
import { PAGE_END, escapeHtml, pageHead } from './html.js';
import type { Reply } from './reply.js';

/** Entries whose size and time are read at once, and sent in one piece. */
const BATCH = 200;

/** Names alone, sorted: 100,000 of them are to cost little, so no object is kept for each. */
interface Names {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

interface Row {
  readonly name: string;
  readonly isFolder: boolean;
  readonly size: number;
  readonly modified: Date;
}

/**
 * The listing of a folder, as a page or as JSON by Accept: folders first, then by name. Only the names are
 * held in memory; sizes and times are read while it is sent.
 * @param name relative to the root, with `/` at its end; empty for the root
 */
export async function listFolder(
  folder: ServedFolder,
  name: string,
  root: Root,
  request: RequestHead,
): Promise<Reply> {
  const names = await namesIn(folder, name, root);
  const rows = request.method === 'HEAD' ? none() : rowsOf(folder, names);
  const accept = valuesOf(request.fields, 'accept').join(',');
  const type = new Negotiator({ headers: accept === '' ? {} : { accept } }).mediaType([
    'text/html',
    'application/json',
  ]);
  return type === 'application/json'
    ? reply('application/json', asJson(`/${name}`, rows))
    : reply('text/html; charset=utf-8', asHtml(`/${name}`, rows));
}

function reply(type: string, body: AsyncIterable<string>): Reply {
  const fields = [
    ['Content-Type', type],
    ['Cache-Control', 'no-cache'],
    ['Vary', 'Accept'],
  ] as const;
  return { status: 200, fields, body };
}

async function namesIn(folder: ServedFolder, name: string, root: Root): Promise<Names> {
  const [folders, files]: [string[], string[]] = [[], []];
  for await (const entry of await opendir(folder.path, { bufferSize: 1024 })) {
    if (root.hides(entry.name) || (name === '' && root.reserves(entry.name))) continue;
    const isFolder = await isFolderEntry(folder, entry, root);
    if (isFolder !== undefined) (isFolder ? folders : files).push(entry.name);
  }
  const order = new Intl.Collator('en', { numeric: true }).compare;
  folders.sort(order);
  files.sort(order);
  return { folders, files };
}

/** Undefined for what is not served: neither file nor folder, or a link that leads out or nowhere. */
async function isFolderEntry(folder: ServedFolder, entry: Dirent, root: Root): Promise<boolean | undefined> {
  if (entry.isDirectory()) return true;
  if (entry.isFile()) return false;
  if (!entry.isSymbolicLink()) return undefined;
  try {
    const path = join(folder.path, entry.name);
    const [real, info] = await Promise.all([realpath(path), stat(path)]);
    if (!root.contains(real) || !(info.isDirectory() || info.isFile())) return undefined;
    return info.isDirectory();
  } catch {
    return undefined;
  }
}

async function* rowsOf(folder: ServedFolder, { folders, files }: Names): AsyncGenerator<readonly Row[]> {
  for (const names of [folders, files]) {
    for (let at = 0; at < names.length; at += BATCH) {
      const rows = names.slice(at, at + BATCH).map(async (name) => {
        // Gone since the folder was read: the row is left out.
        const info = await stat(join(folder.path, name)).catch(() => undefined);
        const isFolder = names === folders;
        return info === undefined
          ? []
          : [{ name, isFolder, size: info.size, modified: writableDate(info.mtimeMs) }];
      });
      yield (await Promise.all(rows)).flat();
    }
  }
}

async function* none(): AsyncGenerator<readonly Row[]> {}

/** `{"path": "/dir/", "entries": [{"name", "type", "size", "modified"}]}`; a folder has no size. */
async function* asJson(path: string, rows: AsyncIterable<readonly Row[]>): AsyncGenerator<string> {
  yield `{"path":${JSON.stringify(path)},"entries":[`;
  let separator = '\n';
  for await (const batch of rows) {
    let text = '';
    for (const { name, isFolder, size, modified } of batch) {
      const type = isFolder ? 'folder' : 'file';
      text += separator + JSON.stringify({ name, type, size: isFolder ? undefined : size, modified });
      separator = ',\n';
    }
    yield text;
  }
  yield '\n]}\n';
}

async function* asHtml(path: string, rows: AsyncIterable<readonly Row[]>): AsyncGenerator<string> {
  yield pageHead(path);
  yield `<h1>${escapeHtml(path)}</h1>\n<table><thead><tr><th scope="col">Name</th><th scope="col">Size</th><th scope="col">Modified</th></tr></thead><tbody>\n`;
  if (path !== '/')
    yield '<tr><td><a href="../" aria-label="../ parent folder">../</a></td><td></td><td></td></tr>\n';
  for await (const batch of rows) yield batch.map(htmlRow).join('');
  yield `</tbody></table>\n${PAGE_END}`;
}

function htmlRow({ name, isFolder, size, modified }: Row): string {
  const slash = isFolder ? '/' : '';
  const time = modified.toISOString();
  const shown = `<span>${time.slice(0, 10)}</span> <span>${time.slice(11, 16)} UTC</span>`;
  // To read, and the exact number for programs and as a hint.
  const bytes = `<data value="${size}" title="${size} bytes">${formatBytes(size)}</data>`;
  const link = `<a href="./${encodeSegment(name)}${slash}">${escapeHtml(name)}${slash}</a>`;
  return `<tr><td>${link}</td><td>${isFolder ? '' : bytes}</td><td><time datetime="${time}">${shown}</time></td></tr>\n`;
}
