import { type SilentHop, type TracedHop, failureIn, traceRoute } from '../../client/trace.js';
import type { EncryptionOptions } from '../../client/http/encryption.js';
import { type Hop, type Route, formatHop, isParked, limitHops } from '../../route/hop.js';
import { ViaductError } from '../../errors.js';
import { visible } from '../../text.js';
import type { CommandContext } from '../context.js';
import { type TrustOptions, encryptionFrom, hostTrustFrom } from '../encryption.js';
import { type ProxyOptions, proxyFrom } from '../proxy.js';
import { jsonLine, printError } from '../terminal/print.js';
import { printSpeeds } from './speeds.js';
import { canDraw } from '../terminal/display.js';
import type { LiveArea } from '../terminal/live-area.js';
import { standardOutput, untilReaderLeaves } from '../terminal/standard-output.js';
import { type Where, type WhereOptions, locationFrom } from '../where.js';

/** Parsed options; times in ms. */
export interface TraceCommandOptions extends WhereOptions, TrustOptions, ProxyOptions {
  readonly probes: number;
  /** Time in ms; true without one, or the location, if that stands behind the option. */
  readonly speed?: number | string | true;
  readonly json?: true;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly maxHops: number;
}

/** Prints one line per hop as answers arrive, in the order of the route. Returns the exit code. */
export async function runTrace(
  where: string | undefined,
  options: TraceCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { stdout, stderr } = context;
  const { speed } = options;
  if (typeof speed === 'string' && where !== undefined)
    throw new ViaductError('USAGE', `--speed "${visible(speed)}" is no number of seconds`);
  const location = await locationFrom(typeof speed === 'string' ? speed : where, options, context);
  const { route, scheme } = location;
  const proxy = proxyFrom(options);
  limitHops(route, options.maxHops);
  const write = standardOutput(stdout);
  let written = Promise.resolve();
  const print = (text: string): void => {
    written = written.then(() => write(Buffer.from(text)));
    // A failure is reported after the trace.
    written.catch(() => {});
  };
  const trust = await trustFor(location, options, context);
  const printer = options.json
    ? { onHop: (traced: TracedHop) => print(hopLine(traced)), close: () => {} }
    : await tablePrinter(route, print, stdout);
  let hops: readonly TracedHop[];
  try {
    hops = await traceRoute(route, {
      ...trust,
      scheme,
      probes: options.probes,
      timeoutMs: options.timeout,
      connectTimeoutMs: options.connectTimeout,
      maxHops: options.maxHops,
      proxy,
      onHop: printer.onHop,
    });
  } finally {
    printer.close();
  }
  const failure = failureIn(hops);
  try {
    if (failure === undefined && speed !== undefined)
      await printSpeeds(route, print, {
        ...trust,
        scheme,
        durationMs: typeof speed === 'number' ? speed : undefined,
        timeoutMs: options.timeout,
        connectTimeoutMs: options.connectTimeout,
        maxHops: options.maxHops,
        proxy,
        json: options.json === true,
      });
  } finally {
    await untilReaderLeaves(written);
  }
  return failure === undefined ? 0 : printError(failure, stderr);
}

/** Pins and authorities are about the last hop; nothing is asked. */
async function trustFor(
  { route, pin, scheme }: Where,
  options: TraceCommandOptions,
  context: CommandContext,
): Promise<EncryptionOptions> {
  const others = hostTrustFrom({ ...options, pin: [] }, context, { asks: false });
  const { encryption, plain } = await encryptionFrom(options, context, { pin, scheme, asks: false });
  return {
    plain,
    encryption: encryption && {
      ...encryption,
      checkKey: (checked, presented) =>
        checked.length < route.length
          ? others.check(checked, presented)
          : encryption.checkKey(checked, presented),
    },
  };
}

/** A line of `--json`. Its members are part of the documented interface. */
function hopLine(traced: TracedHop): string {
  const { number, hop, state } = traced;
  const found =
    traced.state === 'up'
      ? {
          version: traced.version,
          key: traced.key,
          roundTripMs: rounded(traced.roundTripMs),
          linkMs: rounded(traced.linkMs),
        }
      : { code: traced.error?.code, reason: traced.error?.message };
  const parked = isParked(hop) || undefined;
  return jsonLine({ hopNumber: number, hopAddress: formatHop(hop), parked, state, ...found });
}

/** The measurement is not accurate to microseconds. */
function rounded(ms: number): number {
  return Number(ms.toFixed(2));
}

/** Prints a table. On a terminal, the hops that have not answered yet are drawn below it, until `close`. */
async function tablePrinter(
  route: Route,
  printPlain: (text: string) => void,
  stdout: NodeJS.WriteStream,
): Promise<{ readonly onHop: (hop: TracedHop) => void; readonly close: () => void }> {
  const terminal = canDraw(stdout) ? await liveArea(stdout) : undefined;
  // The last column of a terminal stays empty, since terminals differ in when they wrap a line.
  const columns = terminal === undefined ? Infinity : stdout.columns - 1;
  const rowOf = rowFormat(route, columns);
  const waiting = route.map((hop, index) =>
    cut(`${String(index + 1).padStart(3)}  ${formatHop(hop)} …`, columns),
  );
  const print = (row: string): void => {
    if (terminal === undefined) printPlain(`${row}\n`);
    else terminal.print(`${row}\n`);
  };
  print(
    rowOf('hop', undefined, {
      version: 'version',
      roundTrip: 'round trip',
      link: 'link',
      key: 'key',
      state: 'state',
    }),
  );
  terminal?.draw(waiting);
  const onHop = (traced: TracedHop): void => {
    terminal?.draw(waiting.slice(traced.number));
    const { number, hop, state } = traced;
    if (traced.state !== 'up') return print(rowOf(number, hop, { state: stateOf(traced) }));
    const version = traced.version === undefined ? 'no node' : visible(traced.version, VERSION_LENGTH);
    const [roundTrip, link] = [formatMs(traced.roundTripMs), `+${formatMs(traced.linkMs)}`];
    const place = isParked(hop) ? `${state}, parked` : state;
    print(rowOf(number, hop, { version, roundTrip, link, key: traced.key, state: place }));
  };
  return { onHop, close: () => terminal?.draw([]) };
}

/** Its library takes 30 ms to load, which only a terminal needs. */
async function liveArea(terminal: NodeJS.WriteStream): Promise<LiveArea> {
  const { LiveArea } = await import('../terminal/live-area.js');
  return new LiveArea(terminal);
}

const STATES = { down: 'down', unreached: 'not reached' } as const;
/** Another host may have answered in its place. */
const WRONG_KEY = new Set<string | undefined>(['CHANGED_HOST_KEY', 'WRONG_PIN', 'UNTRUSTED_CERTIFICATE']);

function stateOf({ state, error }: SilentHop): string {
  return WRONG_KEY.has(error?.code) ? 'wrong key' : STATES[state];
}

/** A remote text, so it is cut. */
const VERSION_LENGTH = 20;

interface Cells {
  readonly version?: string;
  readonly roundTrip?: string;
  readonly link?: string;
  readonly key?: string | undefined;
  readonly state: string;
}

/** Without version and link, and with the state of a silent hop in place of its round trip. */
const NARROW_CELL = 'not reached'.length;
const NARROW_ROW = 3 + 2 + 2 + NARROW_CELL;

/**
 * Formats rows with aligned columns; a cell that is too long shifts the rest of its row. If they do not fit the
 * terminal, only number, address and round trip or state are left, and a long address is cut.
 */
function rowFormat(
  route: Route,
  columns: number,
): (number: number | string, hop: Hop | undefined, cells: Cells) => string {
  const width = Math.max(...route.map((hop) => formatHop(hop).length), 'address'.length);
  const wide = (number: number | string, hop: Hop | undefined, cells: Cells): string => {
    const { version = '-', roundTrip = '-', link = '-', key = '-', state } = cells;
    return [
      String(number).padStart(3),
      (hop === undefined ? 'address' : formatHop(hop)).padEnd(width),
      version.padEnd(7),
      roundTrip.padStart(10),
      link.padStart(10),
      key.padEnd('unknown'.length),
      state,
    ].join('  ');
  };
  const widest = wide('', undefined, { state: STATES.unreached }).length;
  if (widest <= columns) return wide;
  const addressWidth = Math.max(1, Math.min(width, columns - NARROW_ROW));
  return (number, hop, { roundTrip, state }) =>
    cut(
      [
        String(number).padStart(3),
        cut(hop === undefined ? 'address' : formatHop(hop), addressWidth).padEnd(addressWidth),
        (roundTrip ?? state).padStart(NARROW_CELL),
      ].join('  '),
      columns,
    );
}

/** A text of ASCII at its whole length, or cut to it. */
function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

function formatMs(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}
