import { ViaductError } from '../errors.js';
import { type Route, formatHop, hopError } from '../route/hop.js';
import { parsePin } from '../route/pin.js';
import { formatTarget } from '../route/url.js';
import { visible } from '../text.js';
import type { KnownHost, KnownHosts } from './known-hosts.js';

/* Whether the key that a host presents is trusted, and what is printed if it is not. */

/** Other names of a key that a question lists. */
const NAMES_SHOWN = 5;

export type TrustDecision =
  | { readonly kind: 'trusted' }
  /** @param otherNames names in `known_hosts` that have the same pin */
  | { readonly kind: 'unknown'; readonly otherNames: readonly string[] }
  /** @param known the lines of the name in `known_hosts` */
  | { readonly kind: 'changed'; readonly known: readonly KnownHost[] }
  | { readonly kind: 'wrong-pin'; readonly expected: readonly string[] };

export interface Evidence {
  /** Pins that the user gave (`--pin`, route file). If there is one, `known_hosts` has no say. */
  readonly pins: readonly string[];
  readonly known: KnownHosts;
  /** The host's name in `known_hosts`. */
  readonly name: string;
  /** The pin of the certificate that the host presented, and for which it proved to have the key. */
  readonly presented: string;
}

export function checkTrust({ pins, known, name, presented }: Evidence): TrustDecision {
  if (pins.length > 0)
    return pins.includes(presented) ? { kind: 'trusted' } : { kind: 'wrong-pin', expected: pins };
  const hosts = known.lookUp(name);
  if (hosts.length === 0) return { kind: 'unknown', otherNames: known.namesOf(presented) };
  return hosts.some(({ pin }) => pin === presented) ? { kind: 'trusted' } : { kind: 'changed', known: hosts };
}

/** What the texts are about. */
export interface PresentedKey {
  readonly route: Route;
  readonly name: string;
  readonly presented: string;
  /** Of `known_hosts`. */
  readonly path: string;
  /** The value of `--state`, if it was given; commands in the texts repeat it. */
  readonly stateOption: string | undefined;
}

/** The lines that are printed before the error of {@link changedKeyError}. */
export function changedKeyWarning(key: PresentedKey, known: readonly KnownHost[]): string {
  const lines = known.map(({ pin, line }) => `  known      ${pin} (${visible(key.path)}:${line})`);
  return `@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@       WARNING: THE KEY OF THE HOST HAS CHANGED!         @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Someone may be impersonating the host (man-in-the-middle attack).
It is also possible that the host has a new key.
  host       ${key.name}
${lines.join('\n')}
  presented  ${key.presented}
No request was sent. Ask the administrator of the host for its pin (viaduct identity).
If it is the presented one, remove the known one and try again:
  ${knownCommand(key.stateOption, 'remove', key.name)}
`;
}

/** CHANGED_HOST_KEY, in one line. */
export function changedKeyError(key: PresentedKey, known: readonly KnownHost[]): ViaductError {
  const line = known[0]?.line ?? 0;
  const where = `${visible(key.path)}:${line}`;
  return hostError('CHANGED_HOST_KEY', key, `presented a key that is not the known one (${where})`);
}

/** UNKNOWN_HOST_KEY, with the commands that accept the key. @param noAnswer why the question had no answer, if it was asked */
export function unknownKeyError(
  key: PresentedKey,
  otherNames: readonly string[],
  noAnswer?: string,
): ViaductError {
  const [other] = otherNames;
  const others = other === undefined ? '' : `, known under another name (${other})`;
  const accept = knownCommand(key.stateOption, 'add', key.name, key.presented);
  const why = noAnswer === undefined ? '' : ` (${noAnswer})`;
  const what = `presented an unknown key${others}${why}; if its pin is right, run: ${accept} (or use --pin or --accept-new)`;
  return hostError('UNKNOWN_HOST_KEY', key, what);
}

/** UNKNOWN_HOST_KEY after the user has answered no. */
export function refusedKeyError(key: PresentedKey): ViaductError {
  return hostError('UNKNOWN_HOST_KEY', key, 'presented a key that you did not accept');
}

/** @param expected pins that the user gave */
export function wrongPinError(key: PresentedKey, expected: readonly string[]): ViaductError {
  return hostError(
    'WRONG_PIN',
    key,
    `presented a key with the pin ${key.presented}, expected ${expected.join(' or ')}`,
  );
}

/** The question on a terminal, with a space at its end, where the answer is typed. */
export function keyQuestion(key: PresentedKey, otherNames: readonly string[]): string {
  const [first, ...rest] = key.route;
  const route = first === undefined ? '' : formatHop(first) + formatTarget({ route: rest, path: '' });
  const others = otherNames
    .slice(0, NAMES_SHOWN)
    .map((name) => `  This key is known under another name: ${name}\n`);
  const hidden = otherNames.length - others.length;
  const more = hidden > 0 ? `  and under ${hidden} more\n` : '';
  return `The key of the host is not known.
  host    ${key.name}
  route   ${route}
  pin     ${key.presented}
${others.join('')}${more}Compare the pin with the output of viaduct identity on the host.
Trust this key and save it to ${visible(key.path)} (yes/no/pin)? `;
}

export const ASK_AGAIN = 'Please type yes, no or the pin: ';

/** What an answer to {@link keyQuestion} means; `unclear` if it is none. */
export function readAnswer(text: string, presented: string): 'yes' | 'no' | 'wrong-pin' | 'unclear' {
  const pin = parsePin(text);
  if (pin !== undefined) return pin === presented ? 'yes' : 'wrong-pin';
  const word = text.trim().toLowerCase();
  return word === 'yes' || word === 'no' ? word : 'unclear';
}

function hostError(
  code: 'CHANGED_HOST_KEY' | 'UNKNOWN_HOST_KEY' | 'WRONG_PIN',
  { route, name }: PresentedKey,
  what: string,
): ViaductError {
  const hop = route.at(-1);
  return hop === undefined
    ? new ViaductError(code, `${name} ${what}`)
    : hopError(code, route.length, hop, what);
}

/**
 * A command `viaduct known` that does what it says when it is pasted into a shell.
 * @param stateOption the value of `--state`, if it was given
 */
export function knownCommand(
  stateOption: string | undefined,
  action: 'add' | 'remove',
  ...args: readonly string[]
): string {
  const state = stateOption === undefined ? [] : ['--state', stateOption];
  return ['viaduct known', action, ...[...state, ...args].map(quoted)].join(' ');
}

/** A word as shells take it literally. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${visible(word, Infinity).replaceAll("'", "'\\''")}'`;
}
