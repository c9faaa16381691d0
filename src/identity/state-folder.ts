import { constants } from 'node:fs';
import { resolve } from 'node:path';
import { ViaductError, systemCode, systemReason } from '../errors.js';
import { mkdirAll, open, stat } from '../files/fs.js';
import { whyNotOurFolder } from '../files/ownership.js';
import { withWriteErrors } from '../files/write-error.js';
import { xdgFolders } from '../files/xdg.js';
import { visible } from '../text.js';

const FOLDER_MODE = 0o700;

/**
 * The absolute path of the folder for keys and `known_hosts`: `option`, or `$XDG_STATE_HOME/viaduct`, or
 * `~/.local/state/viaduct`.
 * @param option of `--state`
 * @throws ViaductError USAGE if this user has no home folder
 */
export function stateFolderPath(option?: string): string {
  if (option !== undefined) return resolve(option);
  const [path] = defaultStateFolders();
  if (path !== undefined) return path;
  throw new ViaductError('USAGE', 'this user has no home folder for keys and known hosts; use --state DIR');
}

/** All that may be the state folder of this user without `--state`, since another shell may have another environment. */
export function defaultStateFolders(): readonly string[] {
  return xdgFolders('XDG_STATE_HOME', '.local/state');
}

/**
 * Checks the state folder: whoever may write to it can replace keys and known hosts.
 * @returns whether it exists
 * @throws ViaductError READ_FAILED if it belongs to another user, or others may write to it
 */
export async function checkStateFolder(path: string): Promise<boolean> {
  try {
    // Windows opens no folders, and has no owners and permissions to check.
    if (process.geteuid === undefined) return (await stat(path)).isDirectory();
    const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const unsafe = await whyNotOurFolder(folder);
      if (unsafe !== undefined) throw unusable(path, `it ${unsafe}${remedyFor(unsafe, path)}`);
      return true;
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (error instanceof ViaductError) throw error;
    if (systemCode(error) === 'ENOENT') return false;
    throw unusable(path, systemReason(error), error);
  }
}

/**
 * Creates the state folder unless it exists, and checks it.
 * @throws ViaductError WRITE_FAILED or READ_FAILED
 */
export async function createStateFolder(path: string): Promise<void> {
  if (await checkStateFolder(path)) return;
  await withWriteErrors(path, () => mkdirAll(path, FOLDER_MODE));
  await checkStateFolder(path);
}

function remedyFor(unsafe: string, path: string): string {
  return unsafe === 'is writable by others' ? `; run: chmod go-w ${visible(path)}` : '; use --state DIR';
}

function unusable(path: string, reason: string, cause?: unknown): ViaductError {
  return new ViaductError('READ_FAILED', `cannot use the state folder ${visible(path)}: ${reason}`, {
    cause,
  });
}
