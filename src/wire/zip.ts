import { bytesOfName, hasBytes } from '../route/name.js';

/*
 * The ZIP format (PKWARE APPNOTE 6.3), stored, not compressed: the size of an archive is known from its entries. The CRC-32 of a
 * file is known only once it was read, so it stands behind the file (a data descriptor), and in the directory at the end.
 */

/** A file, or a folder, whose name ends with `/` and whose size is 0. */
export interface ZipEntry {
  /** As in `route/name.ts`, without `/` at its beginning. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly modified: number;
  readonly isExecutable: boolean;
}

const UINT16_MAX = 0xffff;
const UINT32_MAX = 0xffffffff;
/** The year 2038: the field for times has 32 bits, with sign. */
const TIME_MAX = 2 ** 31 - 1;
/** Versions of the format that are needed: for folders, and for sizes from 4 GiB on (zip64). */
const VERSION = 20;
const VERSION_64 = 45;
/** Made on Unix, so that the mode counts. */
const MADE_BY = (3 << 8) | 63;
/** A data descriptor follows; the name is UTF-8. */
const DESCRIPTOR = 0x0008;
const UTF8 = 0x0800;
const IS_FOLDER = 0x10;
/** `extended timestamp`: the field's header, one byte of flags, the time. */
const TIME_BYTES = 9;
const EXTRA_64 = 0x0001;
/** Cut before that, as the length of a comment has 16 bits. */
const COMMENT_MAX = 60_000;

/** In front of the bytes of a file, or for a folder. */
export function zipHeader(entry: ZipEntry): Buffer {
  const name = bytesOfName(entry.name);
  const is64 = entry.size >= UINT32_MAX;
  const extra = Buffer.concat([timeField(entry), is64 ? field64([entry.size, entry.size]) : Buffer.alloc(0)]);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  common(entry, is64).copy(header, 4);
  // Without descriptor 0 is what is right: a folder has nothing.
  header.writeUInt32LE(is64 ? UINT32_MAX : 0, 18);
  header.writeUInt32LE(is64 ? UINT32_MAX : 0, 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, name, extra]);
}

/** The length of {@link zipHeader}. */
export function zipHeaderLength(name: string, size: number): number {
  return 30 + bytesOfName(name).length + TIME_BYTES + (size >= UINT32_MAX ? 20 : 0);
}

/** Behind the bytes of a file. */
export function zipDescriptor(size: number, crc: number): Buffer {
  const descriptor = Buffer.alloc(zipDescriptorLength(size));
  descriptor.writeUInt32LE(0x08074b50, 0);
  descriptor.writeUInt32LE(crc, 4);
  if (size >= UINT32_MAX) for (const at of [8, 16]) descriptor.writeBigUInt64LE(BigInt(size), at);
  else for (const at of [8, 12]) descriptor.writeUInt32LE(size, at);
  return descriptor;
}

export function zipDescriptorLength(size: number): number {
  return size >= UINT32_MAX ? 24 : 16;
}

/** The record of an entry in the directory. @param offset where its header begins */
export function zipRecord(entry: ZipEntry, crc: number, offset: number): Buffer {
  const name = bytesOfName(entry.name);
  const [is64, isFar] = [entry.size >= UINT32_MAX, offset >= UINT32_MAX];
  const large = [...(is64 ? [entry.size, entry.size] : []), ...(isFar ? [offset] : [])];
  const extra = Buffer.concat([timeField(entry), large.length > 0 ? field64(large) : Buffer.alloc(0)]);
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(MADE_BY, 4);
  common(entry, is64 || isFar).copy(record, 6);
  record.writeUInt32LE(crc, 16);
  record.writeUInt32LE(is64 ? UINT32_MAX : entry.size, 20);
  record.writeUInt32LE(is64 ? UINT32_MAX : entry.size, 24);
  record.writeUInt16LE(name.length, 28);
  record.writeUInt16LE(extra.length, 30);
  const isFolder = entry.name.endsWith('/');
  const mode = isFolder ? 0o040755 : entry.isExecutable ? 0o100755 : 0o100644;
  record.writeUInt32LE(mode * 0x10000 + (isFolder ? IS_FOLDER : 0), 38);
  record.writeUInt32LE(isFar ? UINT32_MAX : offset, 42);
  return Buffer.concat([record, name, extra]);
}

/** The length of {@link zipRecord}. */
export function zipRecordLength(name: string, size: number, offset: number): number {
  const large = (size >= UINT32_MAX ? 16 : 0) + (offset >= UINT32_MAX ? 8 : 0);
  return 46 + bytesOfName(name).length + TIME_BYTES + (large > 0 ? 4 + large : 0);
}

/** The end of an archive. @param directory where its directory is, and how many entries it has */
export function zipEnd(
  directory: { readonly offset: number; readonly length: number; readonly entries: number },
  comment: string,
): Buffer {
  const { offset, length, entries } = directory;
  const text = Buffer.from(comment).subarray(0, COMMENT_MAX);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  for (const at of [8, 10]) end.writeUInt16LE(Math.min(entries, UINT16_MAX), at);
  end.writeUInt32LE(Math.min(length, UINT32_MAX), 12);
  end.writeUInt32LE(Math.min(offset, UINT32_MAX), 16);
  end.writeUInt16LE(text.length, 20);
  const is64 = entries >= UINT16_MAX || length >= UINT32_MAX || offset >= UINT32_MAX;
  return Buffer.concat([is64 ? end64(directory) : Buffer.alloc(0), end, text]);
}

/** The end of a directory that is too large for the ordinary one, and where it begins. */
function end64(directory: {
  readonly offset: number;
  readonly length: number;
  readonly entries: number;
}): Buffer {
  const { offset, length, entries } = directory;
  const end = Buffer.alloc(56 + 20);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE(MADE_BY, 12);
  end.writeUInt16LE(VERSION_64, 14);
  for (const at of [24, 32]) end.writeBigUInt64LE(BigInt(entries), at);
  end.writeBigUInt64LE(BigInt(length), 40);
  end.writeBigUInt64LE(BigInt(offset), 48);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(offset + length), 64);
  end.writeUInt32LE(1, 72);
  return end;
}

/** What header and record have in common: version, flags, method (stored), time and date. */
function common({ name, modified }: ZipEntry, is64: boolean): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeUInt16LE(is64 ? VERSION_64 : VERSION, 0);
  bytes.writeUInt16LE((name.endsWith('/') ? 0 : DESCRIPTOR) | (hasBytes(name) ? 0 : UTF8), 2);
  // In no time zone, and from 1980 on.
  const date = new Date(Math.max(timeOf(modified), Date.UTC(1980, 0, 1) / 1000) * 1000);
  const time = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1);
  bytes.writeUInt16LE(time, 6);
  bytes.writeUInt16LE(
    ((date.getUTCFullYear() - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate(),
    8,
  );
  return bytes;
}

function timeOf(modified: number): number {
  return Math.min(Math.max(modified, 0), TIME_MAX);
}

function timeField({ modified }: ZipEntry): Buffer {
  const field = Buffer.alloc(TIME_BYTES);
  field.write('UT', 0);
  field.writeUInt16LE(TIME_BYTES - 4, 2);
  // The time of the last change alone.
  field.writeUInt8(1, 4);
  field.writeUInt32LE(timeOf(modified), 5);
  return field;
}

function field64(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(EXTRA_64, 0);
  field.writeUInt16LE(8 * values.length, 2);
  for (const [index, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  return field;
}
