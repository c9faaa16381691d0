import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ViaductError, systemCode, systemReason } from '../errors.js';
import { type Source, visible } from '../route.js';
import { type FetchOptions, type Progress, fetchFile } from './fetch.js';

/**
 * The name under which a remote file is saved: the last part of its path, so that the far name never
 * leads to another folder (CVE-2019-6111).
 * @throws ViaductError BAD_ROUTE if nothing is left that could name a file
 */
export function localName(remoteName: string): string {
  const name = basename(remoteName);
  if (name === '' || name === '.' || name === '..') {
    throw new ViaductError(
      'BAD_ROUTE',
      `"${visible(remoteName)}" does not end in a file name; give one with -o`,
    );
  }
  return name;
}

/**
 * Fetches a file into `target`, which is the whole file afterwards, or what it was before. The bytes
 * go to a partial file beside it, which is synced and renamed after a clean end, and removed after
 * any other. A device is written to as it is.
 *
 * @throws ViaductError as {@link fetchFile}, or WRITE_FAILED
 */
export async function download(
  source: Source,
  target: string,
  options: FetchOptions = {},
): Promise<Progress> {
  const place = await placeOf(target);
  const file = await writing(target, () => open(place.path, place.partial ? 'wx' : 'w', place.mode));
  try {
    // Who may read the old file may read the new one, and nobody else, whatever the umask.
    if (place.replaces) await writing(target, () => file.chmod(place.mode));
    const progress = await fetchFile(
      source,
      (chunk) => writing(target, () => writeAll(file, chunk)),
      options,
    );
    if (place.partial) {
      await writing(target, async () => {
        await file.sync();
        await file.close();
        await rename(place.path, place.final);
        await syncFolder(dirname(place.final));
      });
    }
    return progress;
  } catch (error) {
    if (place.partial) await rm(place.path, { force: true }).catch(() => {});
    throw error;
  } finally {
    await file.close().catch(() => {});
  }
}

/** Less the umask, as every program does. */
const NEW_FILE_MODE = 0o666;
const PERMISSIONS = 0o777;

interface Place {
  /** What is opened. */
  readonly path: string;
  /** What it becomes. */
  readonly final: string;
  readonly partial: boolean;
  /** There is a file already. */
  readonly replaces: boolean;
  /** Permissions, those of the file that is replaced if there is one. */
  readonly mode: number;
}

/** A link stays a link: what it leads to is replaced. */
async function placeOf(target: string): Promise<Place> {
  if (target === '' || /[/\\]$/.test(target)) throw writeFailed(target, 'it is not the name of a file');
  const existing = await writing(target, () => statOrNothing(target));
  if (existing?.isDirectory()) throw writeFailed(target, 'it is a folder');
  // Opening a FIFO without a reader would block a thread that nothing can interrupt.
  if (existing?.isFIFO()) throw writeFailed(target, 'it is a FIFO; use -o - and redirect the output to it');
  if (existing && !existing.isFile()) {
    return { path: target, final: target, partial: false, replaces: false, mode: NEW_FILE_MODE };
  }
  if (!existing && (await isLink(target))) throw writeFailed(target, 'it is a link that leads nowhere');
  const final = existing ? await writing(target, () => realpath(target)) : target;
  // Short whatever the target's name is, since a name has at most 255 bytes.
  const path = join(dirname(final), `.viaduct-${randomBytes(6).toString('hex')}.part`);
  const mode = existing ? existing.mode & PERMISSIONS : NEW_FILE_MODE;
  return { path, final, partial: true, replaces: existing !== undefined, mode };
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSymbolicLink() ?? false;
}

async function statOrNothing(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, at, chunk.length - at);
    at += bytesWritten;
  }
}

/**
 * Makes the rename itself durable, where the folder can be opened for it (not on Windows, nor without
 * read permission). The file is whole under its name already, so a failure here is none of the transfer.
 */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close().catch(() => {});
}

async function writing<T>(target: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw writeFailed(target, systemReason(error), error);
  }
}

function writeFailed(target: string, why: string, cause?: unknown): ViaductError {
  return new ViaductError('WRITE_FAILED', `cannot write ${visible(target)}: ${why}`, { cause });
}
