import { join } from 'node:path';
import { ViaductError, asViaductError, systemReason } from '../errors.js';
import { readSmallFile } from '../files/small-file.js';
import { parsePin } from '../route/pin.js';
import { visible } from '../text.js';
import { parseHostName } from './host-name.js';
import { checkStateFolder } from './state-folder.js';

const FILE_NAME = 'known_hosts';
/** A hundred thousand hosts. */
const MAX_BYTES = 16 * 1024 * 1024;

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
  readonly #lines: readonly string[];

  /** @throws ViaductError READ_FAILED that names the line: garbage must not make a known host unknown */
  constructor(path: string, text: string) {
    this.path = path;
    this.#lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
    this.hosts = this.#lines.flatMap((line, index) => parseLine(line, index + 1, path) ?? []);
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
    return textOf([...this.#lines, `${name} ${pin}`]);
  }

  /** The text of the file without the lines of a name. */
  textWithout(name: string): string {
    const removed = new Set(this.lookUp(name).map(({ line }) => line));
    return textOf(this.#lines.filter((_, index) => !removed.has(index + 1)));
  }
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** Undefined for a line without a host. */
function parseLine(text: string, line: number, path: string): KnownHost | undefined {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.startsWith('#')) return undefined;
  const [, name = '', pinText = '', comment = ''] = /^(\S+)(?:\s+(\S+))?(?:\s+(\S.*))?$/.exec(trimmed) ?? [];
  const pin = parsePin(pinText);
  const fail = (why: string): ViaductError =>
    cannotRead(path, `line ${line} ${why}; correct or remove the line`);
  if (pin === undefined) throw fail(`is not "NAME sha256//PIN": "${visible(trimmed, 60)}"`);
  try {
    return { name: parseHostName(name), pin, comment: comment === '' ? undefined : comment, line };
  } catch (error) {
    throw fail(`has no valid name: ${asViaductError(error).message}`);
  }
}

export function knownHostsPath(stateFolder: string): string {
  return join(stateFolder, FILE_NAME);
}

/**
 * Reads `known_hosts` of a state folder. If it does not exist, no host is known.
 * @throws ViaductError READ_FAILED if it cannot be read, a line is malformed, or others may write to it
 */
export async function readKnownHosts(stateFolder: string): Promise<KnownHosts> {
  const path = knownHostsPath(stateFolder);
  if (!(await checkStateFolder(stateFolder))) return new KnownHosts(path, '');
  const read = await readSmallFile(path, MAX_BYTES).catch((error: unknown) => {
    throw cannotRead(path, systemReason(error), error);
  });
  if (read === 'missing') return new KnownHosts(path, '');
  if ('text' in read) return new KnownHosts(path, read.text);
  const remedy = read.unusable === 'is writable by others' ? `; run: chmod go-w ${visible(path)}` : '';
  throw cannotRead(path, `it ${read.unusable}${remedy}`);
}

function cannotRead(path: string, reason: string, cause?: unknown): ViaductError {
  return new ViaductError('READ_FAILED', `cannot read ${visible(path)}: ${reason}`, { cause });
}
