/** What is read of each file, as signed 64-bit numbers one behind the other. Times are in ns. */
export const FACTS = [
  'mode',
  'size',
  'mtimeNs',
  'ctimeNs',
  'ino',
  'dev',
  'birthtimeNs',
  'uid',
  'gid',
] as const;

/** What a thread reads of some files of a folder. */
export interface StatOrder {
  /** Its path, which may be that of an open folder (proc(5)). */
  readonly folder: string;
  readonly names: readonly string[];
}

/** The mode of what exists, and cannot be looked at. */
export const UNKNOWN_MODE = -1n;

/** For each name in order its {@link FACTS}; all 0 for what is gone. */
export type StatAnswer = BigInt64Array<ArrayBuffer>;
