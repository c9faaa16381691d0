import { parseJsonObject } from '../json.js';
import { open, rename, rm } from './fs.js';
import { PRIVATE_MODE } from './ownership.js';
import { type ByteRanges, formatRanges, parseRanges } from './ranges.js';
import { readSmallFile } from './small-file.js';
import { isStrongEtag } from './version.js';

/** A larger file is not a sidecar: even ten thousand ranges need less. */
const SIDECAR_BYTES = 1024 * 1024;

/**
 * The file `FILE.part.json` beside a partial file `FILE.part`. It describes the content of the partial file, so that
 * a later process can resume the transfer. For example, as JSON:
 *
 *     {"source":"http://h1:12000/@h2:11000/file","etag":"\"v1\"","size":900000}
 *     {"source":"http://h1:12000/@h2:11000/file","etag":"\"v1\"","size":900000,"ranges":[[0,4096],[65536,131072]]}
 *
 * It is replaced atomically, so that after a crash either the old or the new one exists. Unknown members are ignored.
 */
export interface Sidecar {
  /** The source of the bytes. Only the caller interprets it: a URL for a download. */
  readonly source: string;
  readonly etag: string | undefined;
  /** Size of the complete file, in bytes. */
  readonly size: number;
  /**
   * The parts of the partial file that are valid.
   *
   * Missing while a file is written from its beginning to its end: then all bytes of the partial file are valid, and
   * its length is their number. So a sequential transfer writes the sidecar once, and a crash at any moment
   * leaves a correct one. (Version 0.1 knows only this form.)
   *
   * Present as soon as there is a gap; it is written before the first byte behind the gap. It may be older than the
   * partial file, so the file may contain more valid bytes than it lists, but never fewer, unless the file is shorter.
   */
  readonly ranges: ByteRanges | undefined;
}

/** @returns why it cannot be used, to follow its name, if viaduct did not write it @throws system errors */
export async function readSidecar(
  path: string,
): Promise<Sidecar | 'missing' | { readonly unusable: string }> {
  const read = await readSmallFile(path, SIDECAR_BYTES);
  if (read === 'missing' || 'unusable' in read) return read;
  return parse(read.text) ?? { unusable: 'was not created by viaduct' };
}

export async function writeSidecar(path: string, { source, etag, size, ranges }: Sidecar): Promise<void> {
  const temporary = temporaryOf(path);
  await removeTemporary(path);
  const file = await open(temporary, 'wx', PRIVATE_MODE);
  try {
    const members = { source, etag, size, ranges: ranges && formatRanges(ranges) };
    await file.writeFile(`${JSON.stringify(members)}\n`);
    // Without this, a crash of the machine could leave an empty file under the final name.
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Removes a sidecar that a process was killed over while it wrote it. */
export function removeTemporary(path: string): Promise<void> {
  return rm(temporaryOf(path), { force: true });
}

function temporaryOf(path: string): string {
  return `${path}.new`;
}

function parse(text: string): Sidecar | undefined {
  const { source, etag, size, ranges } = parseJsonObject(text) ?? {};
  if (typeof source !== 'string') return undefined;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
  const known = ranges === undefined ? undefined : parseRanges(ranges);
  if (ranges !== undefined && (known === undefined || (known.at(-1)?.end ?? 0) > size)) return undefined;
  const strongEtag = typeof etag === 'string' && isStrongEtag(etag) ? etag : undefined;
  return { source, etag: strongEtag, size, ranges: known };
}
