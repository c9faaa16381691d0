import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

/** Between the two a terminal that knows them shows nothing, so that no half-drawn frame is seen. */
const BEGIN_FRAME = '\u001b[?2026h';
const END_FRAME = '\u001b[?2026l';
const ERASE_LINE_END = '\u001b[K';
const ERASE_BELOW = '\u001b[J';

/**
 * Lines at the bottom of a terminal that are drawn over in place, while other lines are printed above them.
 * The cursor rests at the beginning of the row below; it is never hidden, so that whatever ends the
 * process leaves the terminal usable.
 */
export class LiveArea {
  readonly #terminal: NodeJS.WriteStream;
  #lines: readonly string[] = [];
  #columns: number;

  constructor(terminal: NodeJS.WriteStream) {
    this.#terminal = terminal;
    this.#columns = terminal.columns;
  }

  /** Draws these lines instead of the last ones. Each must fit into one row of the terminal. */
  draw(lines: readonly string[]): void {
    const { columns } = this.#terminal;
    const same = lines.length === this.#lines.length && lines.every((line, at) => line === this.#lines[at]);
    if (same && columns === this.#columns) return;
    const drawn = lines.map((line) => `${line}${ERASE_LINE_END}\n`).join('');
    this.#write(this.#toTop() + drawn + ERASE_BELOW);
    this.#remember(lines);
  }

  /** Prints text above the lines: whole lines, with their newlines. */
  print(text: string): void {
    if (this.#lines.length === 0) {
      this.#terminal.write(text);
      return;
    }
    const drawn = this.#lines.map((line) => `${line}\n`).join('');
    this.#write(this.#toTop() + ERASE_BELOW + text + drawn);
    this.#remember(this.#lines);
  }

  /** What was drawn stays where it is, as after a suspension; the next lines come below. */
  forget(): void {
    this.#remember([]);
  }

  /**
   * To the first row of the lines. Terminals that became narrower wrap what was drawn before, so that a line
   * may have several rows by now.
   */
  #toTop(): string {
    const { columns } = this.#terminal;
    let rows = 0;
    for (const line of this.#lines) {
      const width = stringWidth(stripVTControlCharacters(line));
      rows += columns > 0 ? Math.max(1, Math.ceil(width / columns)) : 1;
    }
    return rows === 0 ? '' : `\r\u001b[${rows}A`;
  }

  #remember(lines: readonly string[]): void {
    this.#lines = lines;
    this.#columns = this.#terminal.columns;
  }

  #write(text: string): void {
    this.#terminal.write(BEGIN_FRAME + text + END_FRAME);
  }
}
