import { visible } from '../../route.js';
import { progressLines } from './layout.js';
import { LiveArea } from './live-area.js';
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
function canDraw(terminal: NodeJS.WriteStream): boolean {
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
  readonly #colors: boolean;
  readonly #area: LiveArea;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #running = new Set<Transfer>();
  readonly #totals: Totals;
  readonly #resumed = (): void => this.#area.forget();

  /** @param wanted false draws nothing on a terminal either */
  constructor(terminal: NodeJS.WriteStream, wanted = true) {
    this.#terminal = terminal;
    this.draws = wanted && canDraw(terminal);
    // hasColors() knows NO_COLOR, FORCE_COLOR and what TERM says.
    this.#colors = this.draws && terminal.hasColors();
    this.#area = new LiveArea(terminal);
    this.#totals = new Totals(performance.now());
    if (!this.draws) return;
    this.#timer = setInterval(() => this.#redraw(), REDRAW_MS);
    // The shell has printed something since: what was drawn is no longer where it was.
    process.on('SIGCONT', this.#resumed);
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
    if (this.draws) this.#area.print(`${line}\n`);
    else this.#terminal.write(`${line}\n`);
  }

  /** Takes everything off the terminal that was drawn; later messages are printed plainly. */
  close(): void {
    if (!this.draws) return;
    clearInterval(this.#timer);
    process.off('SIGCONT', this.#resumed);
    this.#area.draw([]);
  }

  #redraw(): void {
    const { columns, rows } = this.#terminal;
    if (columns <= 0) return;
    const now = performance.now();
    const running = [...this.#running];
    const views = running.map((transfer) => transfer.view(now));
    const total = this.#totals.view(running, now);
    this.#area.draw(progressLines(views, total, { columns, rows: rows || ROWS, colors: this.#colors }));
  }
}
