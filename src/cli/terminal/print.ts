import type { ViaductError } from '../../errors.js';
import { outcomeOf } from '../exit-codes.js';
import { UNSAFE_TO_PRINT } from '../../text.js';

/** The one line that a failure gets on standard error. Returns its exit code. */
export function printError(error: ViaductError): number {
  process.stderr.write(`${errorLine(error)}\n`);
  return outcomeOf(error).exit;
}

/** That line, without its end: what stands before and after the message and its hint. */
export function errorLine(error: ViaductError, before = '', after = ''): string {
  const { hint } = outcomeOf(error);
  return `viaduct: ${before}${error.message}${hint === undefined ? '' : ` (${hint})`}${after}`;
}

/** An object as a line of JSON in which nothing surprises a terminal: what `visible` of route.ts escapes is `\uNNNN`. */
export function jsonLine(members: object): string {
  const text = JSON.stringify(members).replace(
    UNSAFE_TO_PRINT,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${text}\n`;
}

/** A time: `0.12 s` under a minute, else `1:02` or `1:02:03`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 59.995) return `${seconds.toFixed(2)} s`;
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
