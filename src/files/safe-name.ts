import { ViaductError } from '../errors.js';
import { visible } from '../text.js';
import { isPartialName } from './partial-name.js';

/** Device names on Windows, in any folder and with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:[ .:].*)?$/i;
const NOT_ON_WINDOWS = /[<>:"/\\|?*\p{Cc}]|[ .]$/u;

/**
 * Returns a name that another host gave to a file, if it can be used here. A name with another meaning here is refused
 * rather than changed, since a change could map two files to one name. A name of a partial file is refused too.
 * @throws ViaductError UNSAFE_NAME
 */
export function safeName(name: string, platform: NodeJS.Platform = process.platform): string {
  const isSegment = name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
  const isPlain = platform !== 'win32' || !(DEVICE.test(name) || NOT_ON_WINDOWS.test(name));
  if (isSegment && isPlain && !isPartialName(name)) return name;
  throw new ViaductError('UNSAFE_NAME', `"${visible(name)}" is not a safe file name on this system`);
}
