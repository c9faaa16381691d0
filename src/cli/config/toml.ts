import { ViaductError } from '../../errors.js';
import { visible } from '../../text.js';

/** What a key of a file has been given, and on which line. A table without keys has the value `{}`. */
export interface Assignment {
  /** The key with its tables: `['route', 'lab', 'via']`. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** From 1: where the statement begins. */
  readonly line: number;
}

/** Deeper than any key that there is, and flat enough for a recursion: what is below is not looked at. */
const MAX_DEPTH = 8;

/**
 * The keys of a TOML file in their order. The parser has no positions of keys, so the statements are parsed once more one by
 * one.
 * @param label of the file, for errors
 * @throws ViaductError BAD_CONFIG that names the line
 */
export async function parseToml(text: string, label: string): Promise<readonly Assignment[]> {
  const { parse, TomlError } = await import('smol-toml');
  const bad = (line: number, what: string, cause?: unknown): ViaductError =>
    new ViaductError('BAD_CONFIG', `${label}:${line}: ${what}`, { cause });
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw bad(error.line, what, error);
  }
  const found: Assignment[] = [];
  let table: readonly string[] = [];
  for (const { statement, line } of statementsOf(text)) {
    const parsed = parse(statement);
    const isHeader = statement.startsWith('[');
    if (isHeader) table = pathOf(parsed);
    if (statement.startsWith('[['))
      throw bad(line, `write [${visible(table.join('.'))}]; there are no lists of tables`);
    const inside = isHeader ? [{ path: [], value: {} }] : leavesOf(parsed);
    for (const { path, value } of inside) found.push({ path: [...table, ...path], value, line });
  }
  return found;
}

/** Strings and comments, which may have brackets and line ends in them, and what else decides where a statement ends. */
const TOKENS =
  /"""(?:[^"\\]|\\[^]|"{1,2}(?!"))*"{3,5}|'''(?:[^']|'{1,2}(?!'))*'{3,5}|"(?:[^"\\]|\\.)*"|'[^']*'|#.*|[[{]|[\]}]|\n/g;

/** Headers and assignments of a valid document, with the lines where they begin. A list may have several lines. */
function* statementsOf(text: string): Generator<{ readonly statement: string; readonly line: number }> {
  let [start, line, lines, depth] = [0, 1, 0, 0];
  for (const { 0: token, index } of `${text}\n`.matchAll(TOKENS)) {
    if (/^[[{]$/.test(token)) depth += 1;
    else if (/^[\]}]$/.test(token)) depth -= 1;
    lines += token.split('\n').length - 1;
    if (token !== '\n' || depth > 0) continue;
    const statement = text.slice(start, index).trim();
    if (statement !== '' && !statement.startsWith('#')) yield { statement, line };
    [start, line, lines] = [index + 1, line + lines, 0];
  }
}

/** Of the one table that a header makes. */
function pathOf(parsed: object): readonly string[] {
  const path: string[] = [];
  let table: unknown = parsed;
  while (typeof table === 'object' && table !== null && path.length < MAX_DEPTH) {
    // What a header of a list of tables makes is in a list.
    const [entry] = Object.entries(Array.isArray(table) ? Object(table[0]) : table);
    if (entry === undefined) break;
    path.push(entry[0]);
    table = entry[1];
  }
  return path;
}

function leavesOf(table: object, depth = 1): readonly Pick<Assignment, 'path' | 'value'>[] {
  return Object.entries(table).flatMap(([key, value]: [string, unknown]) => {
    if (!isTable(value) || Object.keys(value).length === 0 || depth === MAX_DEPTH)
      return [{ path: [key], value }];
    return leavesOf(value, depth + 1).map((leaf) => ({ path: [key, ...leaf.path], value: leaf.value }));
  });
}

export function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
