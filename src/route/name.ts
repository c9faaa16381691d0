import { isUtf8 } from 'node:buffer';

/*
 * Names of files are bytes, on most systems mostly UTF-8. In a string, a byte that is not UTF-8 stands as U+DC80 to U+DCFF
 * (0xDC00 plus the byte), which no UTF-8 text contains: every name survives as it is (PEP 383 calls it surrogateescape).
 */

const BYTE = /[\udc80-\udcff]/u;
const BYTES = /([\udc80-\udcff])/u;
const LONGEST_CHARACTER = 4;

/** Whether a name has bytes that are not UTF-8. */
export function hasBytes(name: string): boolean {
  return BYTE.test(name);
}

/** The name that some bytes are. */
export function nameOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  let name = '';
  for (let at = 0; at < bytes.length;) {
    let length = 1;
    while (length <= LONGEST_CHARACTER && !isUtf8(bytes.subarray(at, at + length))) length += 1;
    const isByte = length > LONGEST_CHARACTER || at + length > bytes.length;
    if (isByte) length = 1;
    name += isByte ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0)) : bytes.toString('utf8', at, at + length);
    at += length;
  }
  return name;
}

/** The bytes of a name. */
export function bytesOfName(name: string): Buffer {
  if (!hasBytes(name)) return Buffer.from(name);
  return Buffer.concat(
    name.split(BYTES).map((part) => (BYTE.test(part) ? Buffer.of(byteOf(part)) : Buffer.from(part))),
  );
}

/** A path for calls of the file system. */
export function fsPath(path: string): string | Buffer {
  return hasBytes(path) ? bytesOfName(path) : path;
}

/** With something else for each byte that is not UTF-8. */
export function replaceBytes(name: string, replacement: (byte: number) => string): string {
  return hasBytes(name) ? name.replace(/[\udc80-\udcff]/gu, (char) => replacement(byteOf(char))) : name;
}

function byteOf(char: string): number {
  return char.charCodeAt(0) - 0xdc00;
}
