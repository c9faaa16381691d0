import { ViaductError } from '../errors.js';
import { nameOfBytes } from '../route/name.js';
import { visible } from '../text.js';

/*
 * A line of GNU's sha256sum, with a space and " " or "*" (binary) before the name, or of BSD's sha256:
 *
 *   8f43…  dir/file
 *   SHA256 (dir/file) = 8f43…
 *
 * GNU begins the line with "\" if "\n", "\r" and "\\" in the name stand for a line end, a carriage return and a backslash.
 * Other lines, such as comments, signatures and other algorithms, are ignored: a file without a line is refused anyway.
 */
const GNU = /^(\\?)([\da-f]{64}) [ *](.+)$/is;
const BSD = /^(\\?)SHA256 ?\((.+)\) ?= ?([\da-f]{64})$/is;

/** The SHA-256 of files, from a checksum file such as `SHA256SUMS`. */
export class Checksums {
  readonly #label: string;
  readonly #sums: ReadonlyMap<string, ReadonlySet<string>>;

  private constructor(label: string, sums: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#label = label;
    this.#sums = sums;
  }

  /**
   * Parses a checksum file of GNU's or BSD's form.
   * @param label of the file, for errors
   * @throws ViaductError READ_FAILED if no line has a SHA-256
   */
  static parse(bytes: Buffer, label: string): Checksums {
    const sums = new Map<string, Set<string>>();
    for (const line of nameOfBytes(bytes)
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/)) {
      const [, gnuMark, gnuSum, gnuName] = GNU.exec(line) ?? [];
      const [, bsdMark, bsdName, bsdSum] = BSD.exec(line) ?? [];
      const [mark, name, sum] =
        gnuSum === undefined ? [bsdMark, bsdName, bsdSum] : [gnuMark, gnuName, gnuSum];
      if (name === undefined || sum === undefined) continue;
      const plain = (mark === '\\' ? unescaped(name) : name).replace(/^(?:\.\/+)+/, '');
      sums.set(plain, (sums.get(plain) ?? new Set()).add(sum.toLowerCase()));
    }
    if (sums.size === 0)
      throw new ViaductError('READ_FAILED', `cannot read ${label}: no line of it has a SHA-256 and a name`);
    return new Checksums(label, sums);
  }

  /**
   * The SHA-256 of a file, in hexadecimal.
   * @param name with `/` between folders
   * @throws ViaductError NO_CHECKSUM if the checksum file does not have it, or has different ones
   */
  of(name: string): string {
    const [sum, ...others] = this.#sums.get(name) ?? [];
    if (sum !== undefined && others.length === 0) return sum;
    const why = sum === undefined ? 'does not name' : 'has different SHA-256 for';
    throw new ViaductError('NO_CHECKSUM', `${this.#label} ${why} "${visible(name)}"`);
  }
}

const ESCAPED: Readonly<Record<string, string>> = { '\\n': '\n', '\\r': '\r', '\\\\': '\\' };

function unescaped(name: string): string {
  return name.replaceAll(/\\[nr\\]/g, (pair) => ESCAPED[pair] ?? pair);
}
