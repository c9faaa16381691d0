import type { Location } from '../route/location.js';
import type { NamePattern } from '../route/pattern.js';
import { withoutLink } from '../route/share-link.js';
import { encodeSegment, nameOfPath } from '../route/url.js';
import { visible } from '../text.js';
import type { Entry } from '../wire/http/listing.js';
import { originError } from './http/file-reply.js';
import { withSessions } from './http/encryption.js';
import { type ListOptions, readFolder } from './listing.js';

export interface MatchOptions extends Omit<ListOptions, 'onOmitted'> {
  /** Folders may match too. @default false */
  readonly folders?: boolean | undefined;
}

/** An entry of a folder, and where it is. */
export interface Match {
  readonly entry: Entry;
  readonly location: Location;
}

/**
 * The files of a folder whose names match a pattern, sorted by name. If the name of an entry is exactly the text of the
 * pattern, it is the only match.
 * @param folder its path ends with `/`
 * @throws ViaductError as `listFolder`; NOT_FOUND if nothing matches
 */
export function findMatches(
  folder: Location,
  pattern: NamePattern,
  options: MatchOptions = {},
): Promise<readonly Match[]> {
  return withSessions(options, (shared) => matching(folder, pattern, shared));
}

async function matching(
  folder: Location,
  pattern: NamePattern,
  options: MatchOptions,
): Promise<readonly Match[]> {
  let exact: Entry | undefined;
  let leftOut = 0;
  const entries: Entry[] = [];
  await readFolder(folder, options, (entry) => {
    if (entry.name === pattern.exact) exact = entry;
    if (!pattern.matches(entry.name)) return;
    if (entry.kind === 'file' || options.folders) entries.push(entry);
    else leftOut += 1;
  });
  const found = exact === undefined ? entries.toSorted(byName) : [exact];
  if (found.length > 0)
    return found.map((entry) => ({
      entry,
      location: { ...folder, path: folder.path + encodeSegment(entry.name) },
    }));
  const what = options.folders ? 'nothing' : 'no file';
  const only = leftOut === 0 ? '' : `, only ${leftOut} ${leftOut === 1 ? 'folder' : 'folders'} (use -r)`;
  const path = visible(nameOfPath(withoutLink(folder.path)));
  throw originError(
    folder,
    'NOT_FOUND',
    `has ${what} in /${path} that matches "${visible(pattern.text)}"${only}`,
    undefined,
    'for *, ? and [ of a name write %2A, %3F and %5B',
  );
}

/** The same order everywhere, whatever the locale. */
function byName(a: Entry, b: Entry): number {
  return a.name < b.name ? -1 : 1;
}
