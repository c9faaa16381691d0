import { replaceBytes } from '../../../route/name.js';

/** What people see of a name: `\xff` for a byte that is not UTF-8. */
export function readable(name: string): string {
  return replaceBytes(name, (byte) => `\\x${byte.toString(16)}`);
}
