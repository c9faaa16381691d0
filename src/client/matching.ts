import type { Location } from '../route/location.js';
import type { NamePattern } from '../route/pattern.js';
import { encodeSegment, nameOfPath } from '../route/url.js';
import { withoutLink } from '../route/share-link.js';
import { visible } from '../text.js';
import type { Entry } from '../wire/http/listing.js';
import { originError } from './http/file-reply.js';
import { withSessions } from './http/encryption.js';
import { type ListOptions, readFolder } from './listing.js';

export interface MatchOptions extends Omit<ListOptions, 'onOmitted'> {
  /** Folders may match too. @default false */
  readonly folders?: boolean | undefined;
}

/**
 * The files of a folder whose names fit a pattern, sorted by name. One whose name is exactly the text of the pattern is the
 * only one.
 * @param folder its path ends with `/`
 * @throws ViaductError as `listFolder`; NOT_FOUND if there is none
 */
export function findMatches(
  folder: Location,
  pattern: NamePattern,
  options: MatchOptions = {},
): Promise<readonly Location[]> {
  return withSessions(options, (shared) => matching(folder, pattern, shared));
}

async function matching(
  folder: Location,
  pattern: NamePattern,
  options: MatchOptions,
): Promise<readonly Location[]> {
  let exact: Entry | undefined;
  let leftOut = 0;
  const names: string[] = [];
  const take = (entry: Entry): void => {
    if (entry.name === pattern.exact) exact = entry;
    if (!pattern.matches(entry.name)) return;
    if (entry.kind === 'file' || options.folders) names.push(entry.name);
    else leftOut += 1;
  };
  await readFolder(folder, options, take);
  if (exact !== undefined) return [within(folder, exact.name)];
  if (names.length > 0) return names.toSorted(byCode).map((name) => within(folder, name));
  const what = options.folders ? 'nothing' : 'no file';
  const folders = leftOut === 0 ? '' : `, only ${leftOut} ${leftOut === 1 ? 'folder' : 'folders'} (use -r)`;
  const path = visible(nameOfPath(withoutLink(folder.path)));
  throw originError(
    folder,
    'NOT_FOUND',
    `has ${what} in /${path} that matches "${visible(pattern.text)}"${folders}`,
    undefined,
    'for *, ? and [ of a name write %2A, %3F and %5B',
  );
}

function within(folder: Location, name: string): Location {
  return { ...folder, path: folder.path + encodeSegment(name) };
}

/** The same order everywhere, whatever the locale. */
function byCode(a: string, b: string): number {
  return a < b ? -1 : 1;
}
