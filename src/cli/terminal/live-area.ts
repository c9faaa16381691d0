import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

/** A terminal that supports these shows what is between them at once, so that no partial frame is visible. */
const BEGIN_FRAME = '\u001b[?2026h';
const END_FRAME = '\u001b[?2026l';
const ERASE_LINE_END = '\u001b[K';
const ERASE_BELOW = '\u001b[J';

/**
 * Lines at the bottom of a terminal that are redrawn in place, while other lines are printed above them. The
 * cursor stays at the beginning of the row below. It is never hidden, so that the terminal remains usable
 * however the process ends.
 */
export class LiveArea {
  readonly #terminal: NodeJS.WriteStream;
  #lines: readonly string[] = [];
  #columns: number;

  constructor(terminal: NodeJS.WriteStream) {
    this.#terminal = terminal;
    this.#columns = terminal.columns;
  }

  /** Replaces the lines. Each must fit into one row of the terminal. */
  draw(lines: readonly string[]): void {
    const { columns } = this.#terminal;
    const same = lines.length === this.#lines.length && lines.every((line, at) => line === this.#lines[at]);
    if (same && columns === this.#columns) return;
    const drawn = lines.map((line) => `${line}${ERASE_LINE_END}\n`).join('');
    this.#write(this.#toTop() + drawn + ERASE_BELOW);
    this.#remember(lines);
  }

  /** Prints whole lines, with their newlines, above the drawn ones. */
  print(text: string): void {
    if (this.#lines.length === 0) {
      this.#terminal.write(text);
      return;
    }
    const drawn = this.#lines.map((line) => `${line}\n`).join('');
    this.#write(this.#toTop() + ERASE_BELOW + text + drawn);
    this.#remember(this.#lines);
  }

  /** Takes the lines off the screen while `print` writes whole lines to the same terminal through another stream. */
  around(print: () => void): void {
    const lines = this.#lines;
    this.draw([]);
    print();
    this.draw(lines);
  }

  /** Leaves the drawn lines where they are, as after a suspension; the next ones are drawn below. */
  forget(): void {
    this.#remember([]);
  }

  /**
   * Moves to the first row of the lines. A terminal that became narrower wraps earlier lines, so that a line may
   * now have several rows.
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
