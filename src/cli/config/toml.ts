import { ViaductError } from '../../errors.js';

/** What a key of a file has been given, and on which line. A table without keys has the value `{}`. */
export interface Assignment {
  /** The key with its tables: `['route', 'lab', 'via']`. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** From 1: where the statement begins. */
  readonly line: number;
}

/**
 * The keys of a TOML file in their order. The parser has no positions of keys, so the statements are parsed once more one by
 * one: one ends with the first line with which it can be parsed.
 * @param label of the file, for errors
 * @throws ViaductError BAD_CONFIG that names the line
 */
export async function parseToml(text: string, label: string): Promise<readonly Assignment[]> {
  const { parse, TomlError } = await import('smol-toml');
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new ViaductError('BAD_CONFIG', `${label}:${error.line}: ${what}`, { cause: error });
  }
  const found: Assignment[] = [];
  let table: readonly string[] = [];
  let begun = { text: '', line: 1 };
  for (const [index, line] of text.split('\n').entries()) {
    begun.text += `${line}\n`;
    const parsed = parsedOrNot(parse, begun.text);
    if (parsed === undefined) continue;
    const isHeader = begun.text.trimStart().startsWith('[');
    if (isHeader) table = pathOf(parsed);
    const inside = isHeader ? [{ path: [], value: {} }] : leavesOf(parsed);
    for (const { path, value } of inside) found.push({ path: [...table, ...path], value, line: begun.line });
    begun = { text: '', line: index + 2 };
  }
  return found;
}

function parsedOrNot(parse: (text: string) => object, text: string): object | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** Of the one table that a header makes. */
function pathOf(parsed: object): readonly string[] {
  const [entry] = Object.entries(parsed);
  if (entry === undefined) return [];
  const [key, value]: [string, unknown] = entry;
  return [key, ...(isTable(value) ? pathOf(value) : [])];
}

function leavesOf(table: object): readonly Pick<Assignment, 'path' | 'value'>[] {
  return Object.entries(table).flatMap(([key, value]: [string, unknown]) => {
    if (!isTable(value) || Object.keys(value).length === 0) return [{ path: [key], value }];
    return leavesOf(value).map((leaf) => ({ path: [key, ...leaf.path], value: leaf.value }));
  });
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
