import { parseDictionary, serializeDictionary } from 'structured-headers';
import { queryOf } from '../../route/url.js';
import { type Field, type ReplyHead, fieldOf } from './head.js';

/* A folder as one file: `GET /dir/?tar`, `GET /dir/?zip`. */

/** Formats of archives. */
export type ArchiveKind = 'tar' | 'zip';

export const ARCHIVE_TYPES: Readonly<Record<ArchiveKind, string>> = {
  tar: 'application/x-tar',
  zip: 'application/zip',
};

/** What an archive leaves out, by reason. */
export interface LeftOut {
  /** Symbolic links. */
  readonly links: number;
  /** Neither files nor folders: FIFOs, sockets, devices. */
  readonly special: number;
  /** Files and folders that cannot be opened. */
  readonly unreadable: number;
}

/** Carries {@link LeftOut}, as a dictionary (RFC 9651 §3.2); missing if nothing is left out. */
const LEFT_OUT = 'Viaduct-Left-Out';

/** The archive that a path at the origin asks for by its query; undefined for none. */
export function archiveAsked(path: string): ArchiveKind | undefined {
  for (const part of queryOf(path).slice(1).split('&')) {
    const [name] = part.split('=', 1);
    if (name === 'tar' || name === 'zip') return name;
  }
  return undefined;
}

/** The path of a folder as an archive. @param folder with `/` at its end, or not */
export function archivePath(folder: string, kind: ArchiveKind): string {
  return `${folder.endsWith('/') ? folder : `${folder}/`}?${kind}`;
}

/** What is left out, for people; empty for nothing. */
export function leftOutText({ links, special, unreadable }: LeftOut): string {
  const parts = [
    ...(links > 0 ? [`${links} ${links === 1 ? 'link' : 'links'}`] : []),
    ...(special > 0 ? [`${special} that ${special === 1 ? 'is' : 'are'} neither file nor folder`] : []),
    ...(unreadable > 0 ? [`${unreadable} that cannot be read`] : []),
  ];
  return parts.join(', ');
}

export function leftOutFields({ links, special, unreadable }: LeftOut): Field[] {
  const counts = Object.entries({ links, special, unreadable }).filter(([, count]) => count > 0);
  if (counts.length === 0) return [];
  return [[LEFT_OUT, serializeDictionary(Object.fromEntries(counts))]];
}

/** What a reply says is left out; of what cannot be parsed, nothing. */
export function leftOutOf({ fields }: Pick<ReplyHead, 'fields'>): LeftOut {
  const text = fieldOf(fields, LEFT_OUT.toLowerCase());
  let counts: ReturnType<typeof parseDictionary> | undefined;
  try {
    counts = text === undefined ? undefined : parseDictionary(text);
  } catch {
    counts = undefined; // RFC 9651 §4.2: a field that cannot be parsed is ignored.
  }
  const count = (name: keyof LeftOut): number => {
    const value = counts?.get(name)?.[0];
    return typeof value === 'number' && value > 0 ? value : 0;
  };
  return { links: count('links'), special: count('special'), unreadable: count('unreadable') };
}
