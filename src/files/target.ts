import { type Stats, writeSync } from 'node:fs';
import { type FileHandle, link, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ViaductError, systemCode, systemReason } from '../errors.js';
import { visible } from '../text.js';

/** Where a file is to come. */
export interface Place {
  /** As the user named it. */
  readonly target: string;
  /** The file itself: a link stays a link, and what it leads to is replaced. */
  readonly final: string;
  /** A device, which is written to as it is. */
  readonly device: boolean;
  /** There is a file already. */
  readonly replaces: boolean;
  /** Permissions: those of the file that is replaced, if there is one. */
  readonly mode: number;
}

/** Less the umask, as every program does. */
const NEW_FILE_MODE = 0o666;
const PERMISSIONS = 0o777;

/**
 * Looks at what is at a target.
 * @param follow a link, and replace what it leads to; else links and devices are refused
 * @throws ViaductError WRITE_FAILED if no file can come there
 */
export async function placeOf(target: string, follow = true): Promise<Place> {
  if (target === '' || /[/\\]$/.test(target)) throw writeFailed(target, 'it is not the name of a file');
  if (!follow && (await isLink(target))) throw writeFailed(target, 'it is a link');
  const existing = await writing(target, () => statOrNothing(target));
  if (existing?.isDirectory())
    throw writeFailed(target, follow ? 'it is a folder; name a file in it' : 'it is a folder');
  // Opening a FIFO without a reader would block a thread that nothing can interrupt.
  if (existing?.isFIFO()) throw writeFailed(target, 'it is a FIFO; use -o - and redirect the output to it');
  if (existing && !existing.isFile() && !follow) throw writeFailed(target, 'it is a device');
  if (existing && !existing.isFile())
    return { target, final: target, device: true, replaces: false, mode: NEW_FILE_MODE };
  if (!existing && (await isLink(target))) throw writeFailed(target, 'it is a link that leads nowhere');
  const final = existing ? await writing(target, () => realpath(target)) : target;
  const mode = existing ? existing.mode & PERMISSIONS : NEW_FILE_MODE;
  return { target, final, device: false, replaces: existing !== undefined, mode };
}

export interface PublishOptions {
  /** A file that is there already stays, and publishing fails. @default false */
  readonly keep?: boolean;
  /** Goes together with the partial file's name. */
  readonly sidecar?: string;
}

/**
 * Gives a whole partial file its final name: sync, rename, sync of the folder. It stays open, and so locked,
 * but on Windows, which renames no open file.
 * @param path of the partial file
 * @throws ViaductError WRITE_FAILED, also if the path leads to another file by now
 */
export async function publish(
  file: FileHandle,
  path: string,
  place: Place,
  { keep = false, sidecar }: PublishOptions = {},
): Promise<void> {
  await writing(place.target, async () => {
    await file.sync();
    if (!(await isAt(file, path)))
      throw writeFailed(place.target, `${visible(path)} was replaced or removed meanwhile`);
    if (process.platform === 'win32') await file.close();
    if (keep) await moveWithoutReplacing(path, place);
    else await rename(path, place.final);
    if (sidecar !== undefined) await rm(sidecar, { force: true }).catch(() => {});
    await syncFolder(dirname(place.final));
  });
}

/** Whether a path leads to this open file, and not by a link. */
export async function isAt(file: FileHandle, path: string): Promise<boolean> {
  const [own, named] = await Promise.all([file.stat(), lstat(path).catch(() => undefined)]);
  return named?.ino === own.ino && named.dev === own.dev;
}

async function moveWithoutReplacing(path: string, { target, final }: Place): Promise<void> {
  try {
    await link(path, final);
    await rm(path);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw writeFailed(target, 'there is such a file by now');
    // A file system without links has no way to do it in one step.
    if (await statOrNothing(final)) throw writeFailed(target, 'there is such a file by now');
    await rename(path, final);
  }
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSymbolicLink() ?? false;
}

/** @throws system errors other than ENOENT */
async function statOrNothing(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes to a file or device, of which nobody knows how long it takes. */
export async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, at, chunk.length - at);
    at += bytesWritten;
  }
}

/**
 * Writes to a regular file, without leaving this thread: the kernel only copies, and to hand 256 KiB to
 * another thread takes longer than that (measured).
 */
export function writeNow(file: FileHandle, chunk: Buffer, position: number): void {
  for (let at = 0; at < chunk.length;) {
    at += writeSync(file.fd, chunk, at, chunk.length - at, position + at);
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

/** Names the target in what the file system says. */
export async function writing<T>(target: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ViaductError) throw error;
    throw writeFailed(target, systemReason(error), error);
  }
}

export function writeFailed(target: string, why: string, cause?: unknown): ViaductError {
  return new ViaductError('WRITE_FAILED', `cannot write ${visible(target)}: ${why}`, { cause });
}
