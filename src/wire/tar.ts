import { bytesOfName, hasBytes } from '../route/name.js';

/*
 * The tar format of POSIX.1-2001 (pax): ustar headers, and extended headers for what does not fit into them. Pure: the
 * header of an entry depends on the entry alone, so that any part of an archive can be made without the rest.
 */

/** A file, or a folder, whose name ends with `/` and whose size is 0. */
export interface TarEntry {
  /** As in `route/name.ts`, without `/` at its beginning. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly modified: number;
  readonly isExecutable: boolean;
}

const BLOCK = 512;
/** Fields of the header: ustar has room for names up to 100 bytes, and for folders up to 155 in front of them. */
const NAME = { at: 0, length: 100 };
const PREFIX = { at: 345, length: 155 };
/** 11 octal digits: 8 GiB - 1, and the year 2242. */
const NUMBER_MAX = 8 ** 11 - 1;
/** Of an extended header: programs that know no extended headers save it as a file of this name. */
const PAX_NAME = Buffer.from('PaxHeader');

/** The end of an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

/** The beginning of an archive with a comment, which programs ignore or show. @param comment empty for none */
export function tarStart(comment: string): Buffer {
  return comment === '' ? Buffer.alloc(0) : paxHeader('g', [record('comment', Buffer.from(comment))]);
}

/** What stands in front of the bytes of a file, or for a folder. */
export function tarHeader(entry: TarEntry): Buffer {
  const bytes = bytesOfName(entry.name);
  const place = placeOf(bytes);
  const records: Buffer[] = [];
  // A path in an extended header is UTF-8, unless hdrcharset says otherwise, which GNU tar does not know and reports.
  const isBinary = hasBytes(entry.name);
  if (place === undefined && isBinary) records.push(record('hdrcharset', Buffer.from('BINARY')));
  // bsdtar composes what it reads from there, and two names may become one.
  const isRaw = isBinary || entry.name !== entry.name.normalize('NFC');
  if (place === undefined || !(isRaw || isPlain(entry.name))) records.push(record('path', bytes));
  if (entry.size > NUMBER_MAX) records.push(record('size', Buffer.from(String(entry.size))));
  const isFolder = entry.name.endsWith('/');
  const { name, prefix } = place ?? { name: bytes.subarray(0, NAME.length), prefix: Buffer.alloc(0) };
  const mode = isFolder || entry.isExecutable ? 0o755 : 0o644;
  const header = ustar({ ...entry, name, prefix, mode, type: isFolder ? '5' : '0' });
  return records.length === 0 ? header : Buffer.concat([paxHeader('x', records), header]);
}

/** The length of {@link tarHeader}. */
export function tarHeaderLength(name: string, size: number): number {
  const isShort = name.length <= NAME.length && size <= NUMBER_MAX && isPlain(name);
  return isShort ? BLOCK : tarHeader({ name, size, modified: 0, isExecutable: false }).length;
}

/** The zeros behind the bytes of a file. */
export function tarPadding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** Whether a name means the same in all encodings. */
function isPlain(name: string): boolean {
  return !/[\u0080-\uffff]/.test(name);
}

/** Where a name stands in a header; undefined if it does not fit. */
function placeOf(bytes: Buffer): { readonly name: Buffer; readonly prefix: Buffer } | undefined {
  if (bytes.length <= NAME.length) return { name: bytes, prefix: Buffer.alloc(0) };
  // The slash at which it is divided is left out, and something has to follow it.
  const slash = bytes.lastIndexOf('/', Math.min(PREFIX.length, bytes.length - 2));
  if (slash <= 0 || bytes.length - slash - 1 > NAME.length) return undefined;
  return { name: bytes.subarray(slash + 1), prefix: bytes.subarray(0, slash) };
}

interface Ustar {
  readonly name: Buffer;
  readonly prefix: Buffer;
  readonly size: number;
  readonly modified: number;
  readonly mode: number;
  readonly type: '0' | '5' | 'x' | 'g';
}

/** A header without owner: of user and group 0, which have no names. */
function ustar({ name, prefix, size, modified, mode, type }: Ustar): Buffer {
  const header = Buffer.alloc(BLOCK);
  name.copy(header, NAME.at);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size > NUMBER_MAX ? 0 : size, 11), 124);
  header.write(octal(Math.min(Math.max(modified, 0), NUMBER_MAX), 11), 136);
  header.write(type, 156);
  header.write('ustar\x0000', 257, 'latin1');
  header.write(octal(0, 7), 329);
  header.write(octal(0, 7), 337);
  prefix.copy(header, PREFIX.at);
  // The sum of all bytes, those of the sum itself counted as spaces.
  let sum = 8 * 0x20;
  for (const byte of header) sum += byte;
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** An extended header: for the entry that follows (`x`), or for all (`g`). */
function paxHeader(type: 'x' | 'g', records: readonly Buffer[]): Buffer {
  const content = Buffer.concat(records);
  const header = ustar({
    name: PAX_NAME,
    prefix: Buffer.alloc(0),
    size: content.length,
    modified: 0,
    mode: 0o644,
    type,
  });
  return Buffer.concat([header, content, Buffer.alloc(tarPadding(content.length))]);
}

/** `LENGTH key=value LF`, where the length counts itself. */
function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (rest.length + String(length).length !== length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
