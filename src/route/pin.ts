import { visible } from '../text.js';

/** What every pin begins with. */
export const PIN_START = 'sha256//';

/** SHA-256 in base64: 43 characters and one of padding. */
const PIN = /^sha256\/\/([A-Za-z0-9+/]{43}=)$/;

/**
 * A pin in its only form: `sha256//` and the canonical base64 of 32 bytes, with space around it, as copied, taken off.
 * Undefined for any other text.
 */
export function parsePin(text: string): string | undefined {
  const pin = text.trim();
  const base64 = PIN.exec(pin)?.[1];
  if (base64 === undefined) return undefined;
  // The last character has bits that count for nothing; two texts must not be the same pin.
  return Buffer.from(base64, 'base64').toString('base64') === base64 ? pin : undefined;
}

/** The message about a text that is none. */
export function notAPin(text: string): string {
  return `"${visible(text)}" is not a pin; expected ${PIN_START} and 44 characters of base64`;
}
