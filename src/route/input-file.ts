import { ViaductError, withContext } from '../errors.js';
import { visible } from '../text.js';
import { type Hop, type Route, hopWords, parseHop } from './hop.js';
import { PIN_START, notAPin, parsePin } from './pin.js';

/** The content of an input file: which file, and over which route. */
export interface Source {
  /** File name as the origin knows it, relative to its root. */
  readonly name: string;
  readonly route: Route;
  /** The pin of the origin, if the file has one. It is not sent. */
  readonly pin?: string;
}

/**
 * The input file of the original: the file name on the first line, then one line `host port` per hop. The line of the
 * last hop may have its pin as a third word. LF or CRLF; blank lines are skipped and a byte-order mark is ignored.
 * @throws ViaductError BAD_ROUTE, naming the line and what is wrong with it
 */
export function parseInput(text: string): Source {
  let name: string | undefined;
  const route: Hop[] = [];
  let pin: string | undefined;
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    if (name === undefined) {
      if (line.includes('\0'))
        throw new ViaductError('BAD_ROUTE', `line ${index + 1}: a file name has no NUL`);
      name = line;
    } else {
      if (pin !== undefined)
        throw wrongLine(index + 1, 'only the last hop can have a pin, but an earlier line has one');
      const parsed = parseHopLine(line, index + 1);
      route.push(parsed.hop);
      ({ pin } = parsed);
    }
  }
  if (name === undefined) throw new ViaductError('BAD_ROUTE', 'line 1: the file name is missing');
  if (route.length === 0) throw new ViaductError('BAD_ROUTE', 'line 2: a line "host port" is missing');
  return pin === undefined ? { name, route } : { name, route, pin };
}

interface HopLine {
  readonly hop: Hop;
  readonly pin: string | undefined;
}

function parseHopLine(line: string, number: number): HopLine {
  const words = line.trim().split(/\s+/);
  // A parked node has no port, but an original wants a second word.
  if (words[0]?.startsWith('~') && words[1] !== '0') words.splice(1, 0, '0');
  const [host, port, third, ...more] = words;
  const pin = third === undefined ? undefined : parsePin(third);
  if (pin === undefined && third?.startsWith(PIN_START)) throw wrongLine(number, notAPin(third));
  if (
    host === undefined ||
    port === undefined ||
    more.length > 0 ||
    (third !== undefined && pin === undefined)
  )
    throw wrongLine(number, `expected "host port", with a space between, found "${visible(line)}"`);
  try {
    return { hop: parseHop(host, port), pin };
  } catch (error) {
    throw withContext(error, (message) => `line ${number}: ${message}`);
  }
}

function wrongLine(number: number, what: string): ViaductError {
  return new ViaductError('BAD_ROUTE', `line ${number}: ${what}`);
}

/** The inverse of {@link parseInput}: the text of an input file. */
export function formatInput({ name, route, pin }: Source): string {
  const lines = route.map((hop) => hopWords(hop).join(' ')).join('\n');
  return `${name}\n${lines}${pin === undefined ? '' : ` ${pin}`}\n`;
}
