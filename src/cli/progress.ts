import { createLogUpdate } from 'log-update';
import stringWidth from 'string-width';
import type { Progress } from '../client/fetch.js';
import { visible } from '../route.js';
import { formatBytes } from '../units.js';
import { formatSeconds } from './print.js';

const REDRAW_MS = 100;
/** Weight of the newest second in the smoothed rate. */
const SMOOTHING = 0.3;

/** One line on a terminal that says how far a transfer is: name, bytes, rate, elapsed. */
export class ProgressLine {
  readonly #name: string;
  readonly #terminal: NodeJS.WriteStream;
  readonly #draw: ReturnType<typeof createLogUpdate>;
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  #bytes = 0;
  #rate: number | undefined;
  #sample = { bytes: 0, at: performance.now() };

  constructor(name: string, terminal: NodeJS.WriteStream) {
    this.#name = visible(name);
    this.#terminal = terminal;
    this.#draw = createLogUpdate(terminal);
    this.#timer = setInterval(() => this.#redraw(), REDRAW_MS);
    this.#redraw();
  }

  readonly update = ({ bytes }: Progress): void => {
    this.#bytes = bytes;
  };

  /** Takes the line off the terminal. */
  clear(): void {
    clearInterval(this.#timer);
    this.#draw.clear();
    this.#draw.done();
  }

  #redraw(): void {
    const now = performance.now();
    const span = (now - this.#sample.at) / 1000;
    if (span >= 1) {
      const rate = (this.#bytes - this.#sample.bytes) / span;
      this.#rate = this.#rate === undefined ? rate : this.#rate + SMOOTHING * (rate - this.#rate);
      this.#sample = { bytes: this.#bytes, at: now };
    }
    const elapsed = (now - this.#startedAt) / 1000;
    const rate = this.#rate ?? this.#bytes / Math.max(elapsed, REDRAW_MS / 1000);
    const figures = `${formatBytes(this.#bytes)}  ${formatBytes(rate)}/s  ${formatSeconds(elapsed)}`;
    this.#draw(`${shorten(this.#name, this.#terminal.columns - figures.length - 3)}  ${figures}`);
  }
}

/** A name that would take the line over the edge of the terminal loses its end. */
function shorten(name: string, columns: number): string {
  if (stringWidth(name) <= columns) return name;
  let short = '';
  for (const { segment } of new Intl.Segmenter().segment(name)) {
    if (stringWidth(short + segment) > columns - 1) break;
    short += segment;
  }
  return `${short}…`;
}
