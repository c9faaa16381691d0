import { encodePath } from './location.js';
import { nameOfPath } from './url.js';

/*
 * A pattern of names, as in sh, in the last segment of a location:
 *
 *   *        any characters, also none
 *   ?        one character
 *   [a-z0]   one of these; [!a-z0] or [^a-z0] one that is none of these
 *
 * Percent-encoded characters are themselves: %2A, %3F and %5B. Without a closing "]", "[" is itself. A name with a leading dot is
 * matched only by a pattern with a leading dot.
 */

/** One character, or what stands for some. */
type Token =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'one' }
  | {
      readonly kind: 'set';
      readonly negated: boolean;
      readonly ranges: readonly (readonly [number, number])[];
    };

/** A pattern that names of files are compared with. */
export interface NamePattern {
  /** As it was written. */
  readonly text: string;
  /** The name that it is if `*`, `?` and `[` are meant as they are. */
  readonly exact: string;
  /** Whether a name, as a listing has it, fits. Takes time in proportion to the lengths of both, whatever the name. */
  readonly matches: (name: string) => boolean;
}

/**
 * Takes a location apart whose last segment is a pattern.
 * @param where as {@link parseLocation} gets it
 * @returns the location of the folder, and the pattern; undefined if there is no pattern
 */
export function splitPattern(
  where: string,
): { readonly folder: string; readonly pattern: NamePattern } | undefined {
  const [, folder, text] = /^((?:[a-z][a-z\d+.-]*:\/\/)?[^/]+\/(?:.*\/)?)([^/]+)$/is.exec(where) ?? [];
  // "@[::1]:80" is a hop. What is malformed is explained by who parses it.
  if (folder === undefined || text === undefined || /^@[^/]*:\d+$|#|%(?![\da-f]{2})/i.test(text))
    return undefined;
  const tokens = tokensOf(text);
  if (tokens.every(({ kind }) => kind === 'character')) return undefined;
  const [first] = tokens;
  const isForHidden = first?.kind === 'character' && first.character === '.';
  const matches = (name: string): boolean =>
    (isForHidden || !name.startsWith('.')) && fits(tokens, Array.from(name));
  return { folder, pattern: { text, exact: plain(text), matches } };
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  // As in sh, a "]" that comes first is one of the characters: "[]" and "[!]" are no sets.
  const parts = /[*?]|\[(?:[!^]|(?![!^]))(?:\][^\]]*|[^\]]+)\]|[^*?[]+|\[/gs;
  for (const [part] of text.matchAll(parts)) {
    if (part === '*') tokens.push({ kind: 'any' });
    else if (part === '?') tokens.push({ kind: 'one' });
    else if (part.length > 1 && part.startsWith('[')) tokens.push(setOf(part.slice(1, -1)));
    else for (const character of plain(part)) tokens.push({ kind: 'character', character });
  }
  return tokens;
}

function setOf(inside: string): Token {
  const negated = /^[!^]/.test(inside);
  const characters = Array.from(
    plain(negated ? inside.slice(1) : inside),
    (each) => each.codePointAt(0) ?? 0,
  );
  const ranges: [number, number][] = [];
  for (let at = 0; at < characters.length;) {
    const low = characters[at] ?? 0;
    const high = characters[at + 2];
    const isRange = characters[at + 1] === DASH && high !== undefined;
    ranges.push([low, isRange ? high : low]);
    at += isRange ? 3 : 1;
  }
  return { kind: 'set', negated, ranges };
}

const DASH = 0x2d;

/** Decodes what is percent-encoded. */
function plain(text: string): string {
  return nameOfPath(`/${encodePath(text.replaceAll('?', '%3F'))}`);
}

/** After a mismatch only the last `*` takes one character more: a regular expression would try all of them. */
function fits(tokens: readonly Token[], name: readonly string[]): boolean {
  let [token, at] = [0, 0];
  let retry: { token: number; at: number } | undefined;
  while (at < name.length) {
    const current = tokens[token];
    if (current?.kind === 'any') {
      token += 1;
      retry = { token, at };
    } else if (current !== undefined && isOne(current, name[at] ?? '')) {
      token += 1;
      at += 1;
    } else {
      if (retry === undefined) return false;
      retry.at += 1;
      ({ token, at } = retry);
    }
  }
  return tokens.slice(token).every(({ kind }) => kind === 'any');
}

function isOne(token: Token, character: string): boolean {
  switch (token.kind) {
    case 'any':
      return false;
    case 'one':
      return true;
    case 'character':
      return token.character === character;
    case 'set': {
      const code = character.codePointAt(0) ?? 0;
      return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.negated;
    }
  }
}
