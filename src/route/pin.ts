import { visible } from '../text.js';

/** What every pin begins with. */
export const PIN_START = 'sha256//';

/**
 * SHA-256 in base64: 43 characters and one of padding. The last character has two bits that count for nothing; they are 0,
 * since two texts must not be the same pin.
 */
const PIN = /^sha256\/\/[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/**
 * A pin in its only form: `sha256//` and the canonical base64 of 32 bytes, with space around it, as copied, taken off.
 * Undefined for any other text.
 */
export function parsePin(text: string): string | undefined {
  const pin = text.trim();
  return PIN.test(pin) ? pin : undefined;
}

/** The message about a text that is none. */
export function notAPin(text: string): string {
  return `"${visible(text)}" is not a pin; expected ${PIN_START} and 44 characters of base64`;
}
