import { notAParkedName, parseParkedName } from '../route/parked-name.js';
import { parsePin } from '../route/pin.js';
import { visible } from '../text.js';
import type { StateFile } from './state-file.js';
import { StateLines, wrongLine } from './state-lines.js';

/** Names that one pin may own: a node needs one, and another while it is renamed. */
export const NAMES_PER_PIN = 8;
/** Names of a relay, so that its file stays at about 1 MB, whoever comes with new pins. */
export const MAX_NAMES = 10_000;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/** A line `NAME PIN TIME`. */
export interface ParkedName {
  /** Canonical, as `parseParkedName` returns it. */
  readonly name: string;
  /** Of its owner. */
  readonly pin: string;
  /** When it was taken first: ISO 8601 in UTC. */
  readonly since: string;
  /** Number of the line, from 1. */
  readonly line: number;
}

/**
 * What becomes of a claim: `owned` if the pin has the name, `taken` if another pin has it, `too-many` if this pin has
 * {@link NAMES_PER_PIN} others, or the relay has {@link MAX_NAMES}.
 */
export type Claim = 'owned' | 'taken' | 'too-many';

/** The content of `parked_nodes` at one moment: which pin owns which name. Blank lines and lines that begin with `#` are kept. */
export class ParkedList {
  readonly names: readonly ParkedName[];
  readonly #lines: StateLines;
  readonly #byName = new Map<string, ParkedName>();
  readonly #counts = new Map<string, number>();

  /** @throws ViaductError READ_FAILED that names the line: garbage must not make an owned name free */
  constructor(path: string, text: string) {
    this.#lines = new StateLines(text);
    this.names = this.#lines.parse((trimmed, line) => parseLine(trimmed, line, path));
    for (const entry of this.names) {
      const first = this.#byName.get(entry.name);
      if (first !== undefined)
        throw wrongLine(path, entry.line, `has the name "${entry.name}" of line ${first.line} again`);
      this.#byName.set(entry.name, entry);
      this.#counts.set(entry.pin, (this.#counts.get(entry.pin) ?? 0) + 1);
    }
  }

  lookUp(name: string): ParkedName | undefined {
    return this.#byName.get(name);
  }

  /** What becomes of a claim; `free` if the name can be taken now. */
  judge(name: string, pin: string): Claim | 'free' {
    const entry = this.lookUp(name);
    if (entry !== undefined) return entry.pin === pin ? 'owned' : 'taken';
    const isFull = this.names.length >= MAX_NAMES || (this.#counts.get(pin) ?? 0) >= NAMES_PER_PIN;
    return isFull ? 'too-many' : 'free';
  }

  /** The text of the file with a further line. */
  textWith(name: string, pin: string, since: Date): string {
    return this.#lines.textWith(`${name} ${pin} ${since.toISOString().replace(/\.\d+Z$/, 'Z')}`);
  }

  /** The text of the file without the lines of some names. */
  textWithout(names: readonly string[]): string {
    return this.#lines.textWithout(names.flatMap((name) => this.lookUp(name)?.line ?? []));
  }
}

function parseLine(trimmed: string, line: number, path: string): ParkedName {
  const [nameText = '', pinText = '', since = '', ...more] = trimmed.split(/\s+/);
  const pin = parsePin(pinText);
  const isTime = TIME.test(since) && !Number.isNaN(Date.parse(since));
  if (pin === undefined || !isTime || more.length > 0)
    throw wrongLine(path, line, `is not "NAME sha256//PIN TIME": "${visible(trimmed, 80)}"`);
  const name = parseParkedName(nameText);
  if (name === undefined) throw wrongLine(path, line, `has no valid name: ${notAParkedName(nameText)}`);
  return { name, pin, since, line };
}

export const PARKED_NODES: StateFile<ParkedList> = {
  name: 'parked_nodes',
  parse: (path, text) => new ParkedList(path, text),
};
