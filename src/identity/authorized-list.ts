import { parsePin } from '../route/pin.js';
import { type Subtree, WHOLE_ROOT, formatSubtree, parseSubtree } from '../route/subtree.js';
import { visible } from '../text.js';
import type { StateFile } from './state-file.js';
import { StateLines, wrongLine } from './state-lines.js';

/** The key of a client that may read. */
export interface AuthorizedClient {
  readonly pin: string;
  /** For people, and for the log. */
  readonly name: string | undefined;
  /** What it may read. */
  readonly below: Subtree;
  /** From then on it may read nothing. */
  readonly expires: Date | undefined;
}

export interface AuthorizedLine extends AuthorizedClient {
  /** Number of the line, from 1. */
  readonly line: number;
}

/*
 * Grammar:
 *
 *   file    = *( line LF )                                  ; or CRLF
 *   line    = pin [ space name ] *( space option ) [ space comment ] / comment / ""
 *   option  = "path=" path / "expires=" time                ; each once
 *   comment = "#" *any
 *
 * Each pin and each name once. The last line ends with LF too: without it, the file may be half-written, and a path that is
 * cut off allows more.
 */
const NAME = /^[a-z0-9][a-z0-9._@+-]{0,63}$/i;
const TIME = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d))?Z)?$/;

/** A name of a client: 1 to 64 letters, digits and `._@+-`, with a letter or digit first. */
export function isClientName(text: string): boolean {
  return NAME.test(text);
}

/** A date, from its beginning in UTC, or a time in UTC. Undefined for other text, and for a day that no calendar has. */
export function parseExpiry(text: string): Date | undefined {
  const [, day, time = '00:00', seconds = '00'] = TIME.exec(text) ?? [];
  if (day === undefined) return undefined;
  const canonical = `${day}T${time}:${seconds}.000Z`;
  const date = new Date(canonical);
  return !Number.isNaN(date.getTime()) && date.toISOString() === canonical ? date : undefined;
}

export function formatExpiry(date: Date): string {
  return date.toISOString().replace(/(?::00)?\.\d+Z$/, 'Z');
}

/** The content of `authorized_keys` at one moment. */
export class AuthorizedList {
  readonly clients: readonly AuthorizedLine[];
  readonly #lines: StateLines;
  readonly #byPin = new Map<string, AuthorizedLine>();
  readonly #byName = new Map<string, AuthorizedLine>();

  /** @throws ViaductError READ_FAILED that names the line: garbage must not let anyone read */
  constructor(path: string, text: string) {
    this.#lines = new StateLines(text);
    this.clients = this.#lines.parse((trimmed, line) => parseLine(trimmed, line, path));
    if (text !== '' && !text.endsWith('\n'))
      throw wrongLine(path, text.split('\n').length, 'has no end (LF), so the file may be incomplete');
    for (const client of this.clients) {
      const { pin, name, line } = client;
      const same = this.#byPin.get(pin) ?? (name === undefined ? undefined : this.#byName.get(name));
      if (same !== undefined) {
        const what = same.pin === pin ? 'pin' : `name "${name}"`;
        throw wrongLine(path, line, `has the ${what} of line ${same.line} again`);
      }
      this.#byPin.set(pin, client);
      if (name !== undefined) this.#byName.set(name, client);
    }
  }

  lookUp(pin: string): AuthorizedLine | undefined {
    return this.#byPin.get(pin);
  }

  named(name: string): AuthorizedLine | undefined {
    return this.#byName.get(name);
  }

  /** The text of the file with a line for a client, in the place of the one that its pin has. */
  textWith(client: AuthorizedClient): string {
    const line = formatClient(client);
    const before = this.lookUp(client.pin);
    return before === undefined ? this.#lines.textWith(line) : this.#lines.textReplacing(before.line, line);
  }

  textWithout({ line }: AuthorizedLine): string {
    return this.#lines.textWithout([line]);
  }
}

/** The line of a client, without its end. */
export function formatClient({ pin, name, below, expires }: AuthorizedClient): string {
  const words = [pin, name];
  if (below.length > 0) words.push(`path=${formatSubtree(below)}`);
  if (expires !== undefined) words.push(`expires=${formatExpiry(expires)}`);
  return words.filter((word) => word !== undefined).join(' ');
}

function parseLine(trimmed: string, line: number, path: string): AuthorizedLine {
  const fail = (why: string): Error => wrongLine(path, line, why);
  const words = trimmed.split(/\s+/);
  const comment = words.findIndex((word) => word.startsWith('#'));
  const [pinText = '', ...rest] = comment === -1 ? words : words.slice(0, comment);
  const pin = parsePin(pinText);
  if (pin === undefined)
    throw fail(`is not "sha256//PIN [NAME] [path=/PATH] [expires=TIME]": "${visible(trimmed, 80)}"`);
  const [first] = rest;
  const name = first === undefined || first.includes('=') ? undefined : first;
  if (name !== undefined && !isClientName(name)) throw fail(`has no valid name: "${visible(name, 80)}"`);
  let below: Subtree | undefined;
  let expires: Date | undefined;
  for (const option of rest.slice(name === undefined ? 0 : 1)) {
    const [, key, value = ''] = /^(path|expires)=(.*)$/.exec(option) ?? [];
    const shown = `"${visible(option, 80)}"`;
    if (key === 'path' && below === undefined) {
      below = parseSubtree(value);
      if (below === undefined) throw fail(`has no valid path: ${shown}`);
    } else if (key === 'expires' && expires === undefined) {
      expires = parseExpiry(value);
      if (expires === undefined)
        throw fail(`has no valid time: ${shown}; expected 2026-12-31 or 2026-12-31T12:00Z`);
    } else throw fail(`has ${key === undefined ? 'an unknown word' : 'an option twice'}: ${shown}`);
  }
  return { pin, name, below: below ?? WHOLE_ROOT, expires, line };
}

/** The name of the file in the state folder, unless `--authorized` has another one. */
export const AUTHORIZED_KEYS = 'authorized_keys';

/** @param name of the file in its folder */
export function authorizedFile(name: string): StateFile<AuthorizedList> {
  return { name, parse: (path, text) => new AuthorizedList(path, text) };
}
