import { visible } from '../../text.js';
import type { LiveArea } from './live-area.js';
import { Totals, Transfer, type TransferUpdate } from './transfers.js';

/** Ten frames a second look smooth; more would only flicker. */
const REDRAW_MS = 100;
/** A terminal that does not tell its height. */
const ROWS = 24;

/** One transfer of a {@link ProgressDisplay}. */
export interface ProgressTask {
  update(news: TransferUpdate): void;
  /** Takes it off the screen; its bytes stay part of the total. */
  done(): void;
}

/** Draws on terminals that have a width and a movable cursor, and nowhere else. */
export function canDraw(terminal: NodeJS.WriteStream): boolean {
  return terminal.isTTY && terminal.columns > 0 && process.env['TERM'] !== 'dumb';
}

/**
 * Running transfers on a terminal: a line each, and a total where there are several. Where nothing can be
 * drawn, or is not wanted, only messages are printed. While it is open, whatever goes to the terminal goes
 * through {@link message}.
 */
export class ProgressDisplay {
  /** Whether transfers are drawn; if not, the caller may want to print plain lines instead. */
  readonly draws: boolean;
  readonly #terminal: NodeJS.WriteStream;
  /** Undefined until the first frame. */
  #area: LiveArea | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #running = new Set<Transfer>();
  readonly #totals: Totals;
  readonly #resumed = (): void => this.#area?.forget();

  /** @param wanted false draws nothing on a terminal either */
  constructor(terminal: NodeJS.WriteStream, wanted = true) {
    this.#terminal = terminal;
    this.draws = wanted && canDraw(terminal);
    this.#totals = new Totals(performance.now());
    if (this.draws) this.#timer = setTimeout(() => void this.#begin(), REDRAW_MS);
  }

  /** A transfer that begins now, in the phase `connecting`. Its name may be any text. */
  add(name: string): ProgressTask {
    const transfer = new Transfer(visible(name), this.#totals, performance.now());
    this.#running.add(transfer);
    return {
      update: (news) => transfer.update(news, performance.now()),
      done: () => {
        if (this.#running.delete(transfer)) this.#totals.finish(transfer);
      },
    };
  }

  /** How many files and, if that is known, bytes there will be in all; without it, those that were added. */
  expect(files: number, bytes?: number): void {
    this.#totals.expect(files, bytes);
  }

  /** Prints a line, above the transfers where they are drawn. */
  message(line: string): void {
    if (this.#area === undefined) this.#terminal.write(`${line}\n`);
    else this.#area.print(`${line}\n`);
  }

  /** Takes off the terminal what was drawn; later messages are printed plainly. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    process.off('SIGCONT', this.#resumed);
    this.#area?.draw([]);
    this.#area = undefined;
  }

  /** What draws is loaded with the first frame: it takes longer than a short transfer, or than a round trip. */
  async #begin(): Promise<void> {
    const [{ LiveArea }, { progressLines }] = await Promise.all([
      import('./live-area.js'),
      import('./layout.js'),
    ]);
    if (this.#closed) return;
    const area = new LiveArea(this.#terminal);
    // It knows NO_COLOR, FORCE_COLOR and TERM.
    const colors = this.#terminal.hasColors();
    const redraw = (): void => {
      const { columns, rows } = this.#terminal;
      if (columns <= 0) return;
      const now = performance.now();
      const running = [...this.#running];
      const views = running.map((transfer) => transfer.view(now));
      const total = this.#totals.view(running, now);
      area.draw(progressLines(views, total, { columns, rows: rows || ROWS, colors }));
    };
    this.#area = area;
    this.#timer = setInterval(redraw, REDRAW_MS);
    // The shell has printed something since: what was drawn is no longer where it was.
    process.on('SIGCONT', this.#resumed);
    redraw();
  }
}
