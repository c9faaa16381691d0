import type { ViaductError } from '../errors.js';

/** The one line that a failure gets on standard error. Returns its exit code. */
export function printError(error: ViaductError): number {
  const hint = error.hint === undefined ? '' : ` (${error.hint})`;
  process.stderr.write(`viaduct: ${error.message}${hint}\n`);
  return error.exitCode;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A size in IEC units with three digits that matter, such as `1.46 MiB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${power === 0 ? Math.round(value) : value.toPrecision(value < 1000 ? 3 : 4)} ${UNITS[power]}`;
}

/** A time: `0.12 s` under a minute, else `1:02` or `1:02:03`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 59.995) return `${seconds.toFixed(2)} s`;
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
