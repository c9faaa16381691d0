import { type VersionFacts, versionOf } from '../served-file.js';
import { type LeftOut } from '../../../wire/http/archive.js';

/** Kept of each file, as in `facts.ts`. */
export const KEPT = ['mode', 'size', 'mtimeNs', 'ctimeNs', 'ino'] as const;

const NS_PER_SECOND = 1_000_000_000n;
/** S_IXUSR of stat(2). */
const OWNER_EXECUTES = 0o100n;

/** A folder of an archive, and the files in it. 100,000 names are to cost little, so no object is kept for a file. */
export interface PlannedFolder {
  /** Relative to the root, with `/` at its end; empty for the root. */
  readonly path: string;
  /** Seconds since 1970. */
  readonly modified: number;
  /** Sorted. */
  readonly files: readonly string[];
  /** Of each file {@link KEPT}. */
  readonly facts: BigInt64Array;
}

/** A file of an archive, as it was when the tree was read. */
export interface PlannedFile {
  readonly size: number;
  /** Seconds since 1970. */
  readonly modified: number;
  readonly isExecutable: boolean;
  /** That of the {@link ServedFile}. */
  readonly version: string;
}

/** What is in an archive: a tree as it was read. */
export interface Plan {
  /** Of the archive, without extension: that of its folder. All entries are below it, so that unpacking makes one folder. */
  readonly name: string;
  /** Relative to the root, with `/` at its end; empty for the root. */
  readonly top: string;
  /** In the order of the archive: each before those in it. */
  readonly folders: readonly PlannedFolder[];
  /** Files and folders. */
  readonly entries: number;
  readonly leftOut: LeftOut;
  /** What is left out, for people; empty for nothing. */
  readonly comment: string;
  /** Differs whenever a byte of the archive may differ. */
  readonly tag: string;
}

/** The name of an entry. @param path relative to the root */
export function entryName({ name, top }: Plan, path: string): string {
  return `${name}/${path.slice(top.length)}`;
}

/** The size of a {@link PlannedFile}. */
export function plannedSize({ facts }: PlannedFolder, index: number): number {
  return Number(facts[index * KEPT.length + KEPT.indexOf('size')] ?? 0n);
}

export function plannedFile({ facts }: PlannedFolder, index: number): PlannedFile {
  const [mode = 0n, size = 0n, mtimeNs = 0n, ctimeNs = 0n, ino = 0n] = facts.subarray(index * KEPT.length);
  const version: VersionFacts = { ino, size, mtimeNs, ctimeNs };
  return {
    size: Number(size),
    modified: Number(mtimeNs / NS_PER_SECOND),
    isExecutable: (mode & OWNER_EXECUTES) !== 0n,
    version: versionOf(version),
  };
}
