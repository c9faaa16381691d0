import { constants } from 'node:fs';
import { systemCode } from '../errors.js';
import { open } from './fs.js';
import { whyNotOpened, whyNotOurs } from './ownership.js';

/** A FIFO does not block, and a link is not followed: somebody else may have put either there. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** What stands under a path. */
export type SmallFile =
  | { readonly text: string; readonly mode: number }
  | 'missing'
  /** Why it was not read, to follow the name of the file. */
  | { readonly unusable: string };

/**
 * Reads a small text file that belongs to this user.
 * @param maxBytes a larger file is unusable
 * @param maxLinks names that it may have
 * @throws system errors
 */
export async function readSmallFile(path: string, maxBytes: number, maxLinks = 1): Promise<SmallFile> {
  try {
    const file = await open(path, FLAGS);
    try {
      const unusable = await whyNotOurs(file, maxLinks);
      if (unusable !== undefined) return { unusable };
      const { size, mode } = await file.stat();
      if (size > maxBytes) return { unusable: 'is too large' };
      return { text: await file.readFile('utf8'), mode };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'missing';
    const unusable = whyNotOpened(error);
    if (unusable !== undefined) return { unusable };
    throw error;
  }
}
