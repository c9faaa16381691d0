/** What an exit code means, for people; curl's number where curl has one. The table is in `src/errors.ts`. */
export const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'success'],
  ['1', 'defect of viaduct'],
  ['2', 'wrong usage or input'],
  ['3', 'cannot listen'],
  ['6', 'name does not resolve'],
  ['7', 'cannot connect'],
  ['18', 'transfer cut short'],
  ['22', 'another HTTP error'],
  ['23', 'cannot write'],
  ['26', 'cannot read'],
  ['28', 'timeout'],
  ['56', 'malformed reply'],
  ['110', 'SHA-256 differs'],
  ['129, 130, 143', 'ended by SIGHUP, SIGINT (Ctrl-C), SIGTERM'],
];

const COLUMNS = 3;

/** The last part of every `--help`: three to a line, and what is too wide for that on a line of its own. */
export function exitCodesHelp(): string {
  const short = EXIT_CODES.filter(([code]) => code.length <= 3);
  const wide = EXIT_CODES.filter(([code]) => code.length > 3);
  const cells = short.map(([code, meaning]) => `${code.padStart(3)} ${meaning}`);
  const width = Math.max(...cells.map((cell) => cell.length)) + 1;
  const lines: string[] = [];
  for (let at = 0; at < cells.length; at += COLUMNS) {
    const row = cells.slice(at, at + COLUMNS);
    lines.push(
      row
        .map((cell) => cell.padEnd(width))
        .join('')
        .trimEnd(),
    );
  }
  lines.push(...wide.map((entry) => entry.join(' ')));
  return `\nExit codes (curl's where it has one):\n${lines.join('\n')}`;
}
