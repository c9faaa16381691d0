import { visible } from '../text.js';
import { PIN_START } from './pin.js';

/*
 * How the hop `~X` names a node that is parked at a relay:
 *
 *   X         = name / beginning
 *   name      = 1*15( a-z / 0-9 / "-" )                   ; no "-" first or last; upper case is lowered
 *   beginning = 16*43( A-Z / a-z / 0-9 / "-" / "_" )      ; of a pin's base64url text, in which case counts
 *
 * The length alone tells which it is, so no node can take a name that looks like the pin of another one. 16 characters are
 * 96 bits: too many to find a key whose pin begins like another's.
 */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?$/i;
const PIN_BEGINNING = /^[A-Za-z0-9_-]{16,43}$/;
/** Characters of {@link pinName}; the shortest beginning that is accepted. */
const PIN_NAME_LENGTH = 16;

/** A name in lower case, its only form; undefined for any other text. */
export function parseParkedName(text: string): string | undefined {
  return NAME.test(text) ? text.toLowerCase() : undefined;
}

/** The message about a text that is none. */
export function notAParkedName(text: string): string {
  return `"${visible(text)}" is not a name; expected 1 to 15 letters (a-z), digits and "-", with no "-" first or last`;
}

/** Whether `~text` means a node by the beginning of its pin: 16 to 43 characters of base64url. Case counts. */
export function isPinBeginning(text: string): boolean {
  return PIN_BEGINNING.test(text);
}

/**
 * What a node without a name is called: the first 16 characters of its pin in base64url (RFC 4648 §5), without `sha256//`.
 * It is a pin's beginning, so no node can take it as its name.
 * @param pin as `parsePin` returns it
 */
export function pinName(pin: string): string {
  return base64url(pin).slice(0, PIN_NAME_LENGTH);
}

/** Whether a pin begins so. False for a text that is too short or too long to be a beginning ({@link isPinBeginning}). */
export function pinBegins(pin: string, beginning: string): boolean {
  return isPinBeginning(beginning) && base64url(pin).startsWith(beginning);
}

/** The 43 characters of a pin that count. */
function base64url(pin: string): string {
  return pin.slice(PIN_START.length).replaceAll('+', '-').replaceAll('/', '_').replace('=', '');
}
