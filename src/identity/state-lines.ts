import { ViaductError } from '../errors.js';
import { visible } from '../text.js';

/** The lines of a text file that users edit too. Whatever this program changes, it keeps all other lines as they are. */
export class StateLines {
  readonly #lines: readonly string[];

  constructor(text: string) {
    this.#lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  }

  /** Parses each line but blank ones and those that begin with `#`. @param parse gets the line trimmed, and its number, from 1 */
  parse<T>(parse: (text: string, line: number) => T): T[] {
    return this.#lines.flatMap((text, index) => {
      const trimmed = text.trim();
      return trimmed === '' || trimmed.startsWith('#') ? [] : [parse(trimmed, index + 1)];
    });
  }

  /** The text of the file with a further line. */
  textWith(line: string): string {
    return textOf([...this.#lines, line]);
  }

  /** The text of the file with another line in the place of one. @param number of that line, from 1 */
  textReplacing(number: number, line: string): string {
    return textOf(this.#lines.map((text, index) => (index + 1 === number ? line : text)));
  }

  /** The text of the file without some lines. @param removed their numbers, from 1 */
  textWithout(removed: readonly number[]): string {
    const numbers = new Set(removed);
    return textOf(this.#lines.filter((_, index) => !numbers.has(index + 1)));
  }
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** READ_FAILED for a file. */
export function cannotRead(path: string, reason: string, cause?: unknown): ViaductError {
  return new ViaductError('READ_FAILED', `cannot read ${visible(path)}: ${reason}`, { cause });
}

/** READ_FAILED for a line that is wrong. @param why to follow its number */
export function wrongLine(path: string, line: number, why: string): ViaductError {
  return cannotRead(path, `line ${line} ${why}; correct or remove the line`);
}
