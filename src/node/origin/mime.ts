import { extname } from 'node:path';
import { mimes } from 'mrmime';

/** The type of a file by its extension, in lower case; a name without one, even `html`, has no type. */
export function mimeOf(name: string): string | undefined {
  const extension = extname(name).slice(1).toLowerCase();
  return Object.hasOwn(mimes, extension) ? mimes[extension] : undefined;
}
