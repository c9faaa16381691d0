import stringWidth from 'string-width';
import { formatBytes } from '../../text.js';
import { formatSeconds } from './print.js';

/** The state of a transfer; `waiting` is the pause before a retry. */
export type Phase = 'connecting' | 'downloading' | 'verifying' | 'waiting';

/** A transfer as it is drawn. */
export interface TransferView {
  /** Safe to print. */
  readonly name: string;
  readonly phase: Phase;
  readonly bytes: number;
  /** Undefined while unknown. */
  readonly size: number | undefined;
  /** Bytes per second. */
  readonly rate: number;
  /** Seconds since its start. */
  readonly elapsed: number;
  /** Seconds until the next attempt, in the phase `waiting`. */
  readonly wait: number;
  /** Seconds until the transfer fails without progress; undefined while there is progress, or without such a limit. */
  readonly giveUp: number | undefined;
  /** Seconds since the last data or change of phase. */
  readonly idle: number;
  /** The last hop that has answered a probe since then; 0: none. */
  readonly answeredHop: number;
  readonly retries: number;
  /** Those that bring the file, if there are any to show; rates in bytes per second. */
  readonly routes?: readonly {
    readonly location: string;
    readonly connections: number;
    readonly rate: number;
  }[];
}

/** The screen. Its last column stays empty, since terminals differ in when they wrap a line. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly colors: boolean;
}

const WIDTHS = { percent: 4, bar: 12, size: 8, status: 20, retries: 10 } as const;
type Column = keyof typeof WIDTHS;

/** From wide to narrow: the columns beside the name, and the minimum width of the name. */
const LAYOUTS: readonly { readonly columns: readonly Column[]; readonly name: number }[] = [
  { columns: ['percent', 'bar', 'size', 'status', 'retries'], name: 15 },
  { columns: ['percent', 'size', 'status', 'retries'], name: 12 },
  { columns: ['percent', 'size', 'status'], name: 7 },
  { columns: ['percent', 'status'], name: 8 },
  { columns: ['percent'], name: 4 },
];

const SEGMENTER = new Intl.Segmenter();
const MAX_BAR_WIDTH = 42;
const GAP = '  ';
const RATE_WIDTH = 10;
/** Time without data, or in another phase, that is shown. */
const SILENT_SECONDS = 2;
/** A remaining time over 100 hours is not shown. */
const MAX_SECONDS_LEFT = 100 * 3600;

/**
 * Lines that show the running transfers, one each, and the total if there is one. If there are too few rows, a
 * line shows the number of hidden transfers.
 */
export function progressLines(
  transfers: readonly TransferView[],
  total: TransferView | undefined,
  screen: Screen,
): string[] {
  // The cursor stays on an extra row below.
  const room = Math.max(1, screen.rows - 1 - (total === undefined ? 0 : 1));
  const shown = transfers.length > room ? transfers.slice(0, room - 1) : transfers;
  const views = total === undefined ? shown : [...shown, total];
  const width = Math.max(1, screen.columns - 1);
  const { columns, nameWidth, barWidth } = chooseLayout(views, width);
  const lineOf = (view: TransferView): string =>
    [fit(view.name, nameWidth), ...columns.map((column) => cell(column, view, barWidth, screen.colors))]
      .join(GAP)
      .trimEnd();
  const lines = shown.flatMap((view) => [lineOf(view), ...routeLines(view, width)]);
  // Rather no routes than no transfers.
  if (lines.length > room) lines.splice(0, lines.length, ...shown.map(lineOf));
  const hidden = transfers.length - shown.length;
  if (hidden > 0) lines.push(fit(`… and ${hidden} more`, width).trimEnd());
  if (total !== undefined) lines.push(paint(BOLD, lineOf(total), screen.colors));
  return lines;
}

/** A line for each route, if there are several. */
function routeLines({ routes = [] }: TransferView, width: number): string[] {
  if (routes.length < 2) return [];
  return routes.map(({ location, connections, rate }) => {
    const count = connections === 1 ? '1 connection' : `${connections} connections`;
    return fit(`  ${formatBytes(rate)}/s  ${count}  ${location}`, width).trimEnd();
  });
}

function chooseLayout(
  views: readonly TransferView[],
  width: number,
): { readonly columns: readonly Column[]; readonly nameWidth: number; readonly barWidth: number } {
  const longest = Math.max(0, ...views.map(({ name }) => stringWidth(name)));
  const sized = views.some(({ size }) => size !== undefined);
  const retried = views.some(({ retries }) => retries > 0);
  const useful = (column: Column): boolean =>
    column === 'percent' || column === 'bar' ? sized : column === 'retries' ? retried : true;
  for (const layout of LAYOUTS) {
    const columns = layout.columns.filter(useful);
    const taken = columns.reduce((sum, column) => sum + GAP.length + WIDTHS[column], 0);
    const room = width - taken;
    if (room < Math.min(longest, layout.name)) continue;
    const nameWidth = Math.min(longest, room);
    return { columns, nameWidth, barWidth: Math.min(WIDTHS.bar + room - nameWidth, MAX_BAR_WIDTH) };
  }
  return { columns: [], nameWidth: width, barWidth: 0 };
}

function cell(column: Column, view: TransferView, barWidth: number, colors: boolean): string {
  const { bytes, size, retries } = view;
  switch (column) {
    case 'percent':
      return (size === undefined ? '' : `${Math.floor(fraction(view) * 100)}%`).padStart(WIDTHS.percent);
    case 'bar':
      return size === undefined ? ' '.repeat(barWidth) : bar(fraction(view), barWidth, colors);
    case 'size':
      return formatBytes(bytes).padStart(WIDTHS.size);
    case 'status':
      return status(view, colors);
    case 'retries':
      return retries === 0 ? '' : retries === 1 ? '1 retry' : `${retries} retries`;
  }
}

function fraction({ bytes, size }: TransferView): number {
  return size === undefined || size === 0 ? 1 : Math.min(bytes / size, 1);
}

function bar(part: number, width: number, colors: boolean): string {
  const done = Math.floor(part * (width - 2));
  const filled = part < 1 && done > 0 ? `${'='.repeat(done - 1)}>` : '='.repeat(done);
  return `[${paint(GREEN, filled, colors)}${' '.repeat(width - 2 - done)}]`;
}

/** While bytes arrive, the rate and the remaining time, or the elapsed time if the size is unknown. */
function status(view: TransferView, colors: boolean): string {
  const { phase, bytes, size, rate, elapsed, wait, giveUp, idle } = view;
  const duration = idle < SILENT_SECONDS ? '' : ` ${wholeSeconds(idle)}`;
  switch (phase) {
    case 'connecting':
      return `connecting${giveUp === undefined ? duration : ` ${untilGivenUp(giveUp)}`}`.padEnd(
        WIDTHS.status,
      );
    case 'verifying':
      return `verifying${duration}`.padEnd(WIDTHS.status);
    case 'waiting':
      return paint(YELLOW, waiting(Math.max(0, Math.ceil(wait)), giveUp).padEnd(WIDTHS.status), colors);
    case 'downloading': {
      if (duration !== '') return paint(YELLOW, silent(view).padEnd(WIDTHS.status), colors);
      const time = size === undefined ? formatSeconds(elapsed) : timeLeft(size - bytes, rate);
      const timeWidth = WIDTHS.status - RATE_WIDTH - GAP.length;
      return `${formatBytes(rate)}/s`.padStart(RATE_WIDTH) + GAP + time.padStart(timeWidth);
    }
  }
}

/** At most as wide as the column. */
function waiting(seconds: number, giveUp: number | undefined): string {
  return giveUp === undefined
    ? `retrying in ${seconds} s`
    : `retry ${Math.min(seconds, 99)}s, ${untilGivenUp(giveUp)}`;
}

/** At most as wide as the column. */
function silent({ idle, answeredHop }: TransferView): string {
  const text = `silent ${wholeSeconds(idle)}`;
  const hop = answeredHop === 0 ? '' : `, hop ${answeredHop} up`;
  return text.length + hop.length <= WIDTHS.status ? text + hop : text;
}

function wholeSeconds(seconds: number): string {
  return `${Math.min(Math.floor(seconds), 9999)}s`;
}

/** `4:12 left`, or `62m left` from ten minutes on. */
function untilGivenUp(giveUp: number): string {
  const seconds = Math.max(0, Math.ceil(giveUp));
  const minutes = Math.floor(seconds / 60);
  const rest = String(seconds % 60).padStart(2, '0');
  return minutes < 10 ? `${minutes}:${rest} left` : `${Math.min(minutes, 999)}m left`;
}

function timeLeft(bytes: number, rate: number): string {
  const seconds = Math.ceil(Math.max(bytes, 0) / rate);
  if (!(seconds < MAX_SECONDS_LEFT)) return '-';
  return seconds < 60 ? `0:${String(seconds).padStart(2, '0')}` : formatSeconds(seconds);
}

/** Pads or cuts a text to exactly this number of columns. */
function fit(text: string, columns: number): string {
  const width = stringWidth(text);
  if (width <= columns) return text + ' '.repeat(columns - width);
  let short = '';
  for (const { segment } of SEGMENTER.segment(text)) {
    if (stringWidth(short + segment) > columns - 1) break;
    short += segment;
  }
  return `${short}…${' '.repeat(columns - 1 - stringWidth(short))}`;
}

/** SGR parameters that switch a style on and off (ECMA-48 §8.3.117). */
const BOLD = ['1', '22'] as const;
const GREEN = ['32', '39'] as const;
const YELLOW = ['33', '39'] as const;

function paint([on, off]: readonly [string, string], text: string, colors: boolean): string {
  return colors && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text;
}
