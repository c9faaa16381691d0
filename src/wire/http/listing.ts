import { ViaductError } from '../../errors.js';

import { visible } from '../../text.js';
import { parseJsonObject } from '../../json.js';
import { hasBytes, replaceBytes } from '../../route/name.js';
import { encodeSegment, nameOfPath } from '../../route/url.js';

/** A folder's listing: 100,000 names of the longest kind are about 30 MiB, a million short ones 80 MiB. */
export const LISTING_BYTES = 128 * 1024 * 1024;

/** A line of a listing: a name of 255 characters takes 1.5 KiB at most, the path of a folder some more. */
export const LISTING_LINE_BYTES = 64 * 1024;

/*
 * A folder's listing is JSON that can be read as it comes: a first line, a line for each entry, a last line.
 *
 *   {"path":"/dir/","entries":[
 *   {"name":"sub","type":"folder","modified":"2001-02-03T04:05:06.000Z"},
 *   {"name":"file","type":"file","size":6,"modified":"2001-02-03T04:05:06.000Z"}
 *   ]}
 *
 * A name that is not UTF-8 has U+FFFD for each byte that is not, and `href` has the bytes: {"name":"bad\ufffd","href":"./bad%FF",…}
 * What the folder has and the node does not list is counted at the end: ],"omitted":{"hidden":1,"links":0,"special":2}}
 * If only a page of it was asked for, its number is there too: ],"page":1,"pages":3,"total":640}
 */
const FIRST_LINE = /^\{"path":"(?:[^"\\]|\\.)*","entries":\[$/;
const LAST_LINE = ']}';
const OMITTED = '],"omitted":';
const HREF = /^\.\/[^/?#]+$/;
const MODIFIED = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** How many entries of a folder are not listed, by reason. */
export interface Omitted {
  /** Names with a leading dot. */
  readonly hidden: number;
  /** Symbolic links that lead nowhere, out of the root, or to hidden names. */
  readonly links: number;
  /** Neither files nor folders: FIFOs, sockets, devices. */
  readonly special: number;
  /** Entries whose size and time the node cannot read. */
  readonly unreadable: number;
}

const NOTHING_OMITTED: Omitted = { hidden: 0, links: 0, special: 0, unreadable: 0 };

/** Which part of a folder a listing is. */
export interface ListingPage {
  /** From 1. */
  readonly page: number;
  readonly pages: number;
  /** Entries on all pages. */
  readonly total: number;
}

/** What a folder has and is not listed, for people; empty for nothing. Hidden names are not mentioned: that is what hiding means. */
export function omittedText({ links, special, unreadable }: Omitted): string {
  const parts = [
    ...(special > 0 ? [`${special} that ${special === 1 ? 'is' : 'are'} neither file nor folder`] : []),
    ...(links > 0 ? [`${links} ${links === 1 ? 'link' : 'links'} to what is not served`] : []),
    ...(unreadable > 0 ? [`${unreadable} that cannot be read`] : []),
  ];
  return parts.join(', ');
}

/** The last line of a listing, or of a page of it. */
export function lastLine({ hidden, links, special, unreadable }: Omitted, page?: ListingPage): string {
  const isAny = hidden + links + special + unreadable > 0;
  const omitted = { hidden, links, special, ...(unreadable > 0 && { unreadable }) };
  const members = JSON.stringify({ ...page, ...(isAny && { omitted }) });
  return members === '{}' ? LAST_LINE : `],${members.slice(1)}`;
}

/** The members of an entry that say what its name is. */
export function nameMembers(name: string): { readonly name: string; readonly href?: string } {
  if (!hasBytes(name)) return { name };
  return { name: replaceBytes(name, () => '\ufffd'), href: `./${encodeSegment(name)}` };
}

interface EntryFacts {
  /** One path segment: not empty, no dot segment, no slash, no NUL. Any other character may occur, and bytes (route/name.ts). */
  readonly name: string;
  readonly modified: Date;
}

export type FileEntry = EntryFacts & {
  readonly kind: 'file';
  /** Bytes. */
  readonly size: number;
};

/** Something in a far folder. */
export type Entry = FileEntry | (EntryFacts & { readonly kind: 'folder' });

/**
 * Reads a listing strictly, chunk by chunk. It is written by a stranger: whatever is not as above is
 * refused, and so is one of more than 128 MiB.
 */
export class ListingDecoder {
  #entries: Entry[] = [];
  #isEmpty = true;
  /** Once all has been pushed. */
  omitted: Omitted = NOTHING_OMITTED;
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #place: 'first' | 'entries' | 'after' = 'first';
  /** Whether a comma ended the last entry. */
  #expectsEntry = false;
  /** The beginning of a line. */
  #held = '';
  #bytes = 0;

  /** @throws ViaductError BAD_REPLY */
  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes > LISTING_BYTES) throw malformed(`it has more than ${LISTING_BYTES} bytes`);
    const lines = (this.#held + this.#decode(chunk)).split('\n');
    this.#held = lines.pop() ?? '';
    if (this.#held.length > LISTING_LINE_BYTES) throw malformed('a line is too long');
    for (const line of lines) this.#takeLine(line);
  }

  /** Removes and returns the entries so far, so that a long listing does not stay in memory. */
  drain(): readonly Entry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  /**
   * The entries that were not drained, in the order of the listing, once all has been pushed.
   * @throws ViaductError BAD_REPLY
   */
  end(): readonly Entry[] {
    this.#decode();
    if (this.#place !== 'after' || this.#held !== '') throw malformed('it does not end as one');
    return this.#entries;
  }

  #decode(chunk?: Uint8Array): string {
    try {
      return this.#text.decode(chunk, { stream: chunk !== undefined });
    } catch (cause) {
      throw malformed('it is not UTF-8', cause);
    }
  }

  #takeLine(line: string): void {
    switch (this.#place) {
      case 'first':
        if (!FIRST_LINE.test(line)) throw malformed('it does not begin as one');
        this.#place = 'entries';
        return;
      case 'entries':
        if (line === LAST_LINE || line.startsWith(OMITTED)) {
          if (this.#expectsEntry) throw malformed('an entry is missing');
          this.omitted = parseOmitted(line);
          this.#place = 'after';
          return;
        }
        if (!this.#isEmpty && !this.#expectsEntry) throw malformed('a comma is missing');
        this.#isEmpty = false;
        this.#expectsEntry = line.endsWith(',');
        this.#entries.push(parseEntry(this.#expectsEntry ? line.slice(0, -1) : line));
        return;
      case 'after':
        throw malformed('something follows it');
    }
  }
}

function parseEntry(line: string): Entry {
  const entry = parseJsonObject(line);
  if (entry === undefined) throw malformed('an entry is not a JSON object');
  const { type, size, modified } = entry;
  const name = parseName(entry);
  if (name === undefined) throw malformed(`${shown(entry['name'])} is not a name`);
  if (typeof modified !== 'string' || !MODIFIED.test(modified) || Number.isNaN(Date.parse(modified)))
    throw malformed(`${shown(name)} has no time`);
  const facts = { name, modified: new Date(modified) };
  if (type === 'folder') return { ...facts, kind: type };
  if (type !== 'file') throw malformed(`${shown(name)} is neither file nor folder`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw malformed(`${shown(name)} has no size`);
  return { ...facts, kind: type, size };
}

function parseName({ name, href }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof name !== 'string' || !isSegment(name)) return undefined;
  if (href === undefined) return name;
  if (typeof href !== 'string' || !HREF.test(href)) return undefined;
  try {
    const exact = nameOfPath(href.slice(1));
    return hasBytes(exact) && isSegment(replaceBytes(exact, () => '\ufffd')) ? exact : undefined;
  } catch {
    return undefined;
  }
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function parseOmitted(line: string): Omitted {
  if (line === LAST_LINE) return NOTHING_OMITTED;
  const text = line.endsWith('}') ? line.slice(OMITTED.length, -1) : '';
  const counts = parseJsonObject(text);
  if (counts === undefined) throw malformed('it does not end as one');
  return {
    hidden: countOf(counts['hidden']),
    links: countOf(counts['links']),
    special: countOf(counts['special']),
    unreadable: countOf(counts['unreadable']),
  };
}

/** What can be one segment of a path. A lone surrogate cannot: it has no UTF-8. */
function isSegment(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0\p{Cs}]/u.test(name);
}

function shown(value: unknown): string {
  return visible(JSON.stringify(value) ?? 'nothing');
}

function malformed(why: string, cause?: unknown): ViaductError {
  return new ViaductError('BAD_REPLY', `sent a malformed listing: ${why}`, { cause });
}
