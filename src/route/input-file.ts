import { ViaductError, withContext } from '../errors.js';
import { visible } from '../text.js';
import { type Hop, type Route, parseHop } from './hop.js';

/** The content of an input file: which file, and over which route. */
export interface Source {
  /** File name as the origin knows it, relative to its root. */
  readonly name: string;
  readonly route: Route;
}

/**
 * The input file of the original: the file name on the first line, then one line `host port` per hop.
 * LF or CRLF; blank lines are skipped and a byte-order mark is ignored.
 * @throws ViaductError BAD_ROUTE, naming the line and what is wrong with it
 */
export function parseInput(text: string): Source {
  let name: string | undefined;
  const route: Hop[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    if (name === undefined) {
      if (line.includes('\0'))
        throw new ViaductError('BAD_ROUTE', `line ${index + 1}: a file name has no NUL`);
      name = line;
    } else {
      route.push(parseHopLine(line, index + 1));
    }
  }
  if (name === undefined) throw new ViaductError('BAD_ROUTE', 'line 1: the file name is missing');
  if (route.length === 0) throw new ViaductError('BAD_ROUTE', 'line 2: a line "host port" is missing');
  return { name, route };
}

function parseHopLine(line: string, number: number): Hop {
  const [host, port, ...more] = line.trim().split(/\s+/);
  if (host === undefined || port === undefined || more.length > 0) {
    throw new ViaductError(
      'BAD_ROUTE',
      `line ${number}: expected "host port", with a space between, found "${visible(line)}"`,
    );
  }
  try {
    return parseHop(host, port);
  } catch (error) {
    throw withContext(error, (message) => `line ${number}: ${message}`);
  }
}

/** The inverse of {@link parseInput}: the text of an input file. */
export function formatInput({ name, route }: Source): string {
  return [name, ...route.map(({ host, port }) => `${host} ${port}`), ''].join('\n');
}
