import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { systemCode } from '../errors.js';

/** What open(2) answers to a link that O_NOFOLLOW does not follow: on Linux, FreeBSD, NetBSD. */
const LINK = new Set<string | undefined>(['ELOOP', 'EMLINK', 'EFTYPE']);
/** What it answers to a folder, a socket, a device without a driver. */
const NOT_A_FILE = new Set<string | undefined>(['EISDIR', 'ENXIO', 'ENODEV', 'EOPNOTSUPP']);

/** Why a path cannot be opened as a file, to follow its name; undefined if it is another failure. */
export function whyNotOpened(error: unknown): string | undefined {
  const code = systemCode(error);
  if (LINK.has(code)) return 'is a link';
  return NOT_A_FILE.has(code) ? 'is not a file' : undefined;
}

/** Permission to write for the group and for others. */
export const WRITABLE_BY_OTHERS = 0o022;

/** Permissions of a file that only this user may read and write. */
export const PRIVATE_MODE = 0o600;

/**
 * Why a file that stood there already is not used as this user's own: in a folder that others can write to, they may have
 * put it there to read or change what is written. Undefined if it may be used.
 * @param maxLinks names that it may have
 */
export async function whyNotOurs(file: FileHandle, maxLinks = 1): Promise<string | undefined> {
  const stat = await file.stat();
  if (!stat.isFile()) return 'is not a file';
  const foreign = whyForeign(stat);
  if (foreign !== undefined) return foreign;
  if (process.geteuid !== undefined && stat.nlink > maxLinks) return 'has another name too (a hard link)';
  return whyWritable(file, stat);
}

/**
 * Why a file of settings is not used, by the rule of ssh: it belongs to this user or to root, and only its owner may write to
 * it. Undefined if it is used.
 */
export async function whyNotTrusted(file: FileHandle): Promise<string | undefined> {
  const stat = await file.stat();
  if (!stat.isFile()) return 'is not a file';
  const foreign = whyForeign(stat);
  if (foreign === undefined) return whyWritable(file, stat);
  if (stat.uid !== 0) return foreign;
  // Whether its mode could be another one cannot be tried with a file of root.
  return (stat.mode & WRITABLE_BY_OTHERS) === 0 ? undefined : 'is writable by others';
}

/** Why a folder is not used for what only this user may change. Undefined if it may be used. */
export async function whyNotOurFolder(folder: FileHandle): Promise<string | undefined> {
  const stat = await folder.stat();
  return whyForeign(stat) ?? whyWritable(folder, stat);
}

/** Windows has neither owners nor these permissions. */
function whyForeign({ uid }: Stats): string | undefined {
  return process.geteuid === undefined || uid === process.geteuid() ? undefined : 'belongs to another user';
}

async function whyWritable(file: FileHandle, { mode }: Stats): Promise<string | undefined> {
  if (process.geteuid === undefined || (mode & WRITABLE_BY_OTHERS) === 0) return undefined;
  return (await hasFixedModes(file, mode)) ? undefined : 'is writable by others';
}

/** A file system without permissions, such as FAT, shows the same ones for all files. */
async function hasFixedModes(file: FileHandle, mode: number): Promise<boolean> {
  await setMode(file, mode & ~WRITABLE_BY_OTHERS);
  const isFixed = (await file.stat()).mode === mode;
  if (!isFixed) await setMode(file, mode);
  return isFixed;
}

/** Sets permissions where the file system has any. */
export async function setMode(file: FileHandle, mode: number): Promise<void> {
  await file.chmod(mode & 0o7777).catch(() => {});
}
