import type { ViaductError } from '../../errors.js';
import { outcomeOf } from '../exit-codes.js';
import { UNSAFE_TO_PRINT, formatBytes } from '../../text.js';

/** Prints a failure as one line on standard error. Returns its exit code. */
export function printError(error: ViaductError, stderr: NodeJS.WriteStream): number {
  stderr.write(`${errorLine(error)}\n`);
  return outcomeOf(error).exit;
}

/** The same line without its newline: message and hint between `before` and `after`. */
export function errorLine(error: ViaductError, before = '', after = ''): string {
  const hint = error.hint ?? outcomeOf(error).hint;
  return `viaduct: ${before}${error.message}${hint === undefined ? '' : ` (${hint})`}${after}`;
}

/** An object as a line of JSON that is safe to print: what `visible` escapes becomes `\uNNNN`. */
export function jsonLine(members: object): string {
  const text = JSON.stringify(members).replace(
    UNSAFE_TO_PRINT,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${text}\n`;
}

/** A duration: `0.12 s` under a minute, else `1:02` or `1:02:03`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 59.995) return `${seconds.toFixed(2)} s`;
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** An average rate, such as `1.46 MiB/s`. */
export function formatRate(bytes: number, seconds: number): string {
  return `${formatBytes(bytes / Math.max(seconds, 0.001))}/s`;
}
