import { asViaductError } from '../errors.js';
import { parsePin } from '../route/pin.js';
import { visible } from '../text.js';
import { parseHostName } from './host-name.js';
import { type StateFile, pathOfStateFile, readStateFile } from './state-file.js';
import { StateLines, wrongLine } from './state-lines.js';

/** A line `NAME PIN [comment]`. */
export interface KnownHost {
  /** Canonical, as {@link parseHostName} returns it. */
  readonly name: string;
  readonly pin: string;
  readonly comment: string | undefined;
  /** Number of the line, from 1. */
  readonly line: number;
}

/**
 * The content of `known_hosts` at one moment. Each line has the name of a host (host-name.ts), its pin, and perhaps a
 * comment, with spaces or tabs between. Blank lines and lines that begin with `#` are kept. A name may have several lines,
 * and then several pins.
 */
export class KnownHosts {
  readonly path: string;
  readonly hosts: readonly KnownHost[];
  readonly #lines: StateLines;

  /** @throws ViaductError READ_FAILED that names the line: garbage must not make a known host unknown */
  constructor(path: string, text: string) {
    this.path = path;
    this.#lines = new StateLines(text);
    this.hosts = this.#lines.parse((trimmed, line) => parseLine(trimmed, line, path));
  }

  /** The lines of a name. */
  lookUp(name: string): readonly KnownHost[] {
    return this.hosts.filter((host) => host.name === name);
  }

  /** The names that have this pin, each once. */
  namesOf(pin: string): readonly string[] {
    return [...new Set(this.hosts.filter((host) => host.pin === pin).map(({ name }) => name))];
  }

  /** The text of the file with a further line. */
  textWith(name: string, pin: string): string {
    return this.#lines.textWith(`${name} ${pin}`);
  }

  /** The text of the file without the lines of a name. */
  textWithout(name: string): string {
    return this.#lines.textWithout(this.lookUp(name).map(({ line }) => line));
  }
}

function parseLine(trimmed: string, line: number, path: string): KnownHost {
  const [, name = '', pinText = '', comment = ''] = /^(\S+)(?:\s+(\S+))?(?:\s+(\S.*))?$/.exec(trimmed) ?? [];
  const pin = parsePin(pinText);
  if (pin === undefined) throw wrongLine(path, line, `is not "NAME sha256//PIN": "${visible(trimmed, 60)}"`);
  try {
    return { name: parseHostName(name), pin, comment: comment === '' ? undefined : comment, line };
  } catch (error) {
    throw wrongLine(path, line, `has no valid name: ${asViaductError(error).message}`);
  }
}

export const KNOWN_HOSTS: StateFile<KnownHosts> = {
  name: 'known_hosts',
  parse: (path, text) => new KnownHosts(path, text),
};

export function knownHostsPath(stateFolder: string): string {
  return pathOfStateFile(stateFolder, KNOWN_HOSTS);
}

/**
 * Reads `known_hosts` of a state folder. If it does not exist, no host is known.
 * @throws ViaductError READ_FAILED if it cannot be read, a line is malformed, or others may write to it
 */
export async function readKnownHosts(stateFolder: string): Promise<KnownHosts> {
  return readStateFile(stateFolder, KNOWN_HOSTS);
}
