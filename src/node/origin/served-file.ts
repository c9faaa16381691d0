import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { writableDate } from '../../wire/http/date.js';

/** A file that may be served, open for reading. Its members are as of when it was opened. */
export interface ServedFile {
  readonly kind: 'file';
  readonly handle: FileHandle;
  readonly size: number;
  /** It has holes: blocks that take no space. */
  readonly sparse: boolean;
  readonly modified: Date;
  /** Differs whenever the bytes may differ: inode, size, and times of change in ns. */
  readonly version: string;
  /** Its size by now, if this is an earlier version that a client has named. */
  readonly grownTo?: number;
}

/** What is open, as it is now. */
export function servedFile(handle: FileHandle, info: BigIntStats): ServedFile {
  return {
    kind: 'file',
    handle,
    size: Number(info.size),
    sparse: info.blocks * 512n < info.size,
    modified: writableDate(Number(info.mtimeMs)),
    version: versionOf(info),
  };
}

/** What a `version` is made of. */
export type VersionFacts = Pick<BigIntStats, 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>;

/** The `version` of a {@link ServedFile}. */
export function versionOf({ ino, size, mtimeNs, ctimeNs }: VersionFacts): string {
  return [ino, size, mtimeNs, ctimeNs].map((part) => part.toString(36)).join('-');
}

/** What a `version` contains; undefined for other text. `content` is size and time of the last write. */
export function parseVersion(
  version: string,
): { readonly inode: string; readonly size: number; readonly content: string } | undefined {
  const parts = version.split('-');
  const [inode, size, written] = parts;
  if (inode === undefined || size === undefined || written === undefined || parts.length !== 4)
    return undefined;
  const bytes = parseInt(size, 36);
  return Number.isSafeInteger(bytes) ? { inode, size: bytes, content: `${size}-${written}` } : undefined;
}
