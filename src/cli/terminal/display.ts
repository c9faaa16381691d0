import { visible } from '../../text.js';
import { HeldOutput } from './held-output.js';
import type { LiveArea } from './live-area.js';
import { OverallProgress, TransferProgress, type TransferUpdate } from './transfers.js';

/** Ten frames per second look smooth; more would flicker. */
const REDRAW_MS = 100;
/** Assumed for a terminal that does not report its height. */
const ROWS = 24;

/** The display of one transfer. */
export interface ProgressTask {
  update(change: TransferUpdate): void;
  /** Removes it from the screen; its bytes remain part of the total. */
  done(): void;
}

/** Whether progress can be drawn there: only on a terminal with a width and a movable cursor. */
export function canDraw(terminal: NodeJS.WriteStream): boolean {
  return terminal.isTTY && terminal.columns > 0 && process.env['TERM'] !== 'dumb';
}

/**
 * Draws running transfers on a terminal: one line each, and a total if there are several. If drawing is not
 * possible or not wanted, it prints messages only. While it is open, all other output to the terminal must go
 * through {@link message} or {@link around}.
 */
export class ProgressDisplay {
  readonly #terminal: NodeJS.WriteStream;
  /** Undefined until the first frame. */
  #area: LiveArea | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #output = new HeldOutput();
  readonly #running = new Set<TransferProgress>();
  readonly #overall: OverallProgress;
  readonly #onResume = (): void => this.#area?.forget();

  /** @param wanted if false, nothing is drawn */
  constructor(terminal: NodeJS.WriteStream, wanted = true) {
    this.#terminal = terminal;
    this.#overall = new OverallProgress(performance.now());
    if (wanted && canDraw(terminal)) this.#timer = setTimeout(() => void this.#begin(), REDRAW_MS);
  }

  /** Adds a transfer that starts now, in the phase `connecting`. Its name may be any text. */
  add(name: string): ProgressTask {
    const transfer = new TransferProgress(visible(name), this.#overall, performance.now());
    this.#running.add(transfer);
    return {
      update: (change) => transfer.update(change, performance.now()),
      done: () => {
        if (this.#running.delete(transfer)) this.#overall.finish(transfer);
      },
    };
  }

  /** Sets the expected number of files and, if known, of bytes. @default those of the transfers that were added */
  expect(files: number, bytes?: number): void {
    this.#overall.expect(files, bytes);
  }

  /** Prints a line, above the transfers if they are drawn; during a pause, after it. */
  message(line: string): void {
    this.#output.print(() => {
      if (this.#area === undefined) this.#terminal.write(`${line}\n`);
      else this.#area.print(`${line}\n`);
    });
  }

  /** Lets `print` write whole lines to another stream, which may be the same terminal; during a pause, after it. */
  around(print: () => void): void {
    this.#output.print(() => {
      if (this.#area === undefined) print();
      else this.#area.around(print);
    });
  }

  /** Draws and prints nothing until the returned function is called, while something else uses the terminal. */
  pause(): () => void {
    this.#area?.draw([]);
    return this.#output.pause();
  }

  /** Erases what was drawn; later messages are printed as plain lines. */
  close(): void {
    this.#output.flush();
    this.#closed = true;
    clearTimeout(this.#timer);
    process.off('SIGCONT', this.#onResume);
    this.#area?.draw([]);
    this.#area = undefined;
  }

  /** Loads the drawing code with the first frame only, since loading takes longer than a short transfer. */
  async #begin(): Promise<void> {
    const [{ LiveArea }, { progressLines }] = await Promise.all([
      import('./live-area.js'),
      import('./layout.js'),
    ]);
    if (this.#closed) return;
    const area = new LiveArea(this.#terminal);
    // `hasColors` considers NO_COLOR, FORCE_COLOR and TERM.
    const colors = this.#terminal.hasColors();
    const redraw = (): void => {
      const { columns, rows } = this.#terminal;
      if (columns <= 0 || this.#output.isPaused) return;
      const now = performance.now();
      const running = [...this.#running];
      const views = running.map((transfer) => transfer.view(now));
      const total = this.#overall.view(running, now);
      area.draw(progressLines(views, total, { columns, rows: rows || ROWS, colors }));
    };
    this.#area = area;
    this.#timer = setInterval(redraw, REDRAW_MS);
    // The shell has printed in the meantime, so the last frame has moved.
    process.on('SIGCONT', this.#onResume);
    redraw();
  }
}
