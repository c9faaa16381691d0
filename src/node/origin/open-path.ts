import { constants } from 'node:fs';
import { type FileHandle, access, open, readlink, realpath, stat } from 'node:fs/promises';
import { ViaductError, systemCode, systemReason } from '../../errors.js';
import { fsPath, nameOfBytes } from '../../route/name.js';
import { withoutTokens } from '../../route/share-link.js';
import { visible } from '../../text.js';
import type { Secrets } from './secrets.js';

/**
 * The real path of a folder to serve.
 * @param share the name under which it is shared; undefined for the root
 * @throws ViaductError USAGE if it is not a folder that can be read, or is kept secret
 */
export async function realFolder(path: string, secrets: Secrets, share: string | undefined): Promise<string> {
  const what = share === undefined ? 'the root' : `the share "${visible(share)}":`;
  const refused = (why: string, cause?: unknown): ViaductError =>
    new ViaductError('USAGE', `${what} ${why}`, { cause });
  try {
    const real = nameOfBytes(await realpath(path, { encoding: 'buffer' }));
    if (!(await stat(fsPath(real))).isDirectory()) throw refused(`${path} is not a folder`);
    await access(fsPath(real), constants.X_OK);
    if (!secrets.includes(real)) return real;
  } catch (error) {
    if (error instanceof ViaductError) throw error;
    const why = systemCode(error) === 'ENOENT' ? 'does not exist' : `cannot be used: ${systemReason(error)}`;
    throw refused(`folder ${path} ${why}`, error);
  }
  throw refused(`folder ${path} has the keys of this node, which are never served`);
}

export function notFound(name: string, cause?: unknown): ViaductError {
  return new ViaductError(
    'NOT_FOUND',
    `there is no ${name.endsWith('/') ? 'folder' : 'file'} "${shown(name)}"`,
    { cause },
  );
}

/** A name that opens nothing may have the token of a link in it. */
function shown(name: string): string {
  return visible(withoutTokens(name));
}

export async function openWithoutBlocking(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(fsPath(path), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') {
      throw notFound(name, error);
    }
    // ENXIO and ENODEV are what a socket and a device without driver answer to open(2).
    if (code === 'ENXIO' || code === 'ENODEV' || code === 'ELOOP')
      throw forbidden(name, 'is not a regular file', error);
    throw readFailed(name, error);
  }
}

/** A path that leads to what is open, whatever its name leads to by now: Linux has one (proc(5)). */
export function pathOfHandle(handle: FileHandle): string | undefined {
  return process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : undefined;
}

/**
 * The real path of what is open. Linux has it for the descriptor itself. Elsewhere: the real path of the
 * name, if what stands there now is what was opened.
 */
export async function realPathOf(handle: FileHandle, path: string): Promise<string | undefined> {
  const link = pathOfHandle(handle);
  if (link !== undefined) {
    try {
      return nameOfBytes(await readlink(link, { encoding: 'buffer' }));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
  const real = nameOfBytes(await realpath(fsPath(path), { encoding: 'buffer' }));
  const [opened, there] = await Promise.all([
    handle.stat({ bigint: true }),
    stat(fsPath(real), { bigint: true }),
  ]);
  return opened.ino === there.ino && opened.dev === there.dev ? real : undefined;
}

export function forbidden(name: string, why: string, cause?: unknown): ViaductError {
  return new ViaductError('FORBIDDEN', `"${shown(name)}" ${why}`, { cause });
}

export function readFailed(name: string, error: unknown): ViaductError {
  return new ViaductError('READ_FAILED', `"${shown(name)}" cannot be read: ${systemReason(error)}`, {
    cause: error,
  });
}
