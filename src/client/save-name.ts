import { basename } from 'node:path';
import { ViaductError } from '../errors.js';
import type { Location } from '../route/location.js';
import { withoutLink } from '../route/share-link.js';
import { nameOfPath } from '../route/url.js';
import { visible } from '../text.js';

/**
 * The name under which a remote file is saved if the user gives none: the last part of its path, so that the remote
 * name never leads to another folder (CVE-2019-6111).
 * @throws ViaductError BAD_ROUTE if the path does not end in a file name
 */
export function localName(remoteName: string): string {
  const name = basename(remoteName);
  if (name === '' || name === '.' || name === '..' || name.includes('\0')) {
    throw new ViaductError(
      'BAD_ROUTE',
      `"${visible(remoteName)}" does not end in a file name; give one with -o`,
    );
  }
  return name;
}

/** The {@link localName} of the file at a location. @throws ViaductError BAD_ROUTE */
export function targetNameOf(location: Location): string {
  const path = withoutLink(location.path);
  if (path.endsWith('/'))
    throw new ViaductError('BAD_ROUTE', `"${path}" is a folder; name a file, or use -r to fetch the folder`);
  return localName(nameOfPath(path));
}

/** The {@link localName} of the folder at a location. @throws ViaductError BAD_ROUTE */
export function folderNameOf({ path }: Location): string {
  const name = nameOfPath(withoutLink(path)).replace(/\/+$/, '');
  if (name === '')
    throw new ViaductError('BAD_ROUTE', 'the root folder of a host has no name; give one with -o');
  return localName(name);
}
