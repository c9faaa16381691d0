/** A table of Markdown, padded as Prettier pads it. The cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[], padding: string): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width, padding)).join(' | ')} |`;
  return [line(head, ' '), line([], '-'), ...rows.map((row) => line(row, ' '))].join('\n');
}

/** Plain text as the content of a cell. */
export function escapeCell(plain: string): string {
  return plain.replaceAll(/[\\|*<]/g, '\\$&');
}

export function code(text: string): string {
  return `\`${text}\``;
}
