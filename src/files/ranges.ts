/** The bytes of a file from `start` up to, but not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A set of bytes: ranges in ascending order, none empty, with a gap between neighbours. */
export type ByteRanges = readonly ByteRange[];

/** The set with a range added; ranges that overlap or touch become one. */
export function addRange(ranges: ByteRanges, added: ByteRange): ByteRanges {
  if (added.end <= added.start) return ranges;
  const before = ranges.filter(({ end }) => end < added.start);
  const after = ranges.filter(({ start }) => start > added.end);
  const merged = ranges.slice(before.length, ranges.length - after.length);
  const start = Math.min(added.start, merged.at(0)?.start ?? Infinity);
  const end = Math.max(added.end, merged.at(-1)?.end ?? 0);
  return [...before, { start, end }, ...after];
}

/** The set without a range. */
export function removeRange(ranges: ByteRanges, removed: ByteRange): ByteRanges {
  return ranges
    .flatMap(({ start, end }) => [
      { start, end: Math.min(end, removed.start) },
      { start: Math.max(start, removed.end), end },
    ])
    .filter(({ start, end }) => end > start);
}

/** The part of the set that lies in the first `size` bytes. */
export function clipRanges(ranges: ByteRanges, size: number): ByteRanges {
  return ranges
    .filter(({ start }) => start < size)
    .map(({ start, end }) => ({ start, end: Math.min(end, size) }));
}

/** The number of bytes from the beginning of the file up to the first gap. */
export function contiguousBytes([first]: ByteRanges): number {
  return first?.start === 0 ? first.end : 0;
}

/** The number of bytes in all ranges. */
export function totalBytes(ranges: ByteRanges): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Whether the set has no gap, so that its size alone describes it. */
export function isContiguous(ranges: ByteRanges): boolean {
  return totalBytes(ranges) === contiguousBytes(ranges);
}

/** Whether the set is exactly a whole file of `size` bytes. */
export function isComplete(ranges: ByteRanges, size: number): boolean {
  return isContiguous(ranges) && contiguousBytes(ranges) === size;
}

/*
 * The JSON form:
 *
 *   ranges = "[" [ range *( "," range ) ] "]"
 *   range  = "[" start "," end "]"             ; end is not included
 */

export function formatRanges(ranges: ByteRanges): [start: number, end: number][] {
  return ranges.map(({ start, end }) => [start, end]);
}

/** The inverse of {@link formatRanges}; undefined for any value that it does not return. */
export function parseRanges(value: unknown): ByteRanges | undefined {
  if (!Array.isArray(value)) return undefined;
  const ranges: ByteRange[] = [];
  let previousEnd = -1;
  for (const pair of value as readonly unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    const [start, end] = pair as readonly unknown[];
    if (!isPosition(start) || !isPosition(end) || start <= previousEnd || end <= start) return undefined;
    ranges.push({ start, end });
    previousEnd = end;
  }
  return ranges;
}

function isPosition(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
