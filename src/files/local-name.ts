import { basename } from 'node:path';
import { ViaductError } from '../errors.js';
import { visible } from '../text.js';
import { isPartialName } from './partial-name.js';

/** Windows takes these for devices, with any extension too, and in any folder. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:[ .:].*)?$/i;
const NOT_ON_WINDOWS = /[<>:"/\\|?*\p{Cc}]|[ .]$/u;

/**
 * The name under which a remote file is saved: the last part of its path, so that the far name never
 * leads to another folder (CVE-2019-6111).
 * @throws ViaductError BAD_ROUTE if nothing is left that could name a file
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

/**
 * A name of a far folder's listing as a name here: one that means something else here is refused, since to
 * change it could make two files one. So is one that a partial file could have.
 * @throws ViaductError UNSAFE_NAME
 */
export function localSegment(name: string, platform: NodeJS.Platform = process.platform): string {
  const isSegment = name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
  const isPlain = platform !== 'win32' || !(DEVICE.test(name) || NOT_ON_WINDOWS.test(name));
  if (isSegment && isPlain && !isPartialName(name)) return name;
  throw new ViaductError('UNSAFE_NAME', `"${visible(name)}" is not a safe name of a file here`);
}
