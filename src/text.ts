/** Control characters, bidirectional controls, line separators, byte-order mark, and bytes of a name that are not UTF-8 (route/name.ts). */
export const UNSAFE_TO_PRINT =
  /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\udc80-\udcff]/gu;

/**
 * Makes remote text safe to print: control characters, bidirectional controls and line separators become
 * `\xNN` or `\u{NNNN}` (CVE-2019-6109). Text of more than `length` characters is cut.
 */
export function visible(text: string, length = 200): string {
  const shown = text.length > length ? `${text.slice(0, length)}…` : text;
  return shown.replace(UNSAFE_TO_PRINT, (char) => {
    const point = char.codePointAt(0) ?? 0;
    const code = point >= 0xdc80 && point <= 0xdcff ? point - 0xdc00 : point;
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A size in IEC units with three significant digits, such as `1.46 MiB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  const shown = power === 0 || value >= 999.5 ? Math.round(value) : value.toPrecision(3);
  return `${shown} ${UNITS[power]}`;
}

/** Parses a size such as `1000`, `500K`, `1.5M`, `10MiB`; units are IEC. Undefined if it is not a size. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([KMGTP]?)(?:i?B)?$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Number(number) * 1024 ** ['', 'K', 'M', 'G', 'T', 'P'].indexOf(unit.toUpperCase());
}

/** Base64 as hexadecimal digits, the usual form of digests. */
export function hex(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}
