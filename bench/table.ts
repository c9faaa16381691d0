import type { Spread } from './rounds.js';

/** A table as Markdown, with aligned columns. */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...body].map((line) => line[column]?.length ?? 0)),
  );
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...body]
    .map((line) => `| ${widths.map((width, column) => (line[column] ?? '').padEnd(width)).join(' | ')} |\n`)
    .join('');
}

/** A dash for what could not be measured. */
export const fixed = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : '–';

/** The median, and between which values the middle half of the rounds lies. */
export const spread = ({ median, low, high }: Spread): string =>
  `${fixed(median, 2)} (${fixed(low, 2)} – ${fixed(high, 2)})`;
