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

/**
 * The template with its marks, such as `@EXIT_CODES@` on a line of their own, replaced.
 * @throws if there is no part for a mark, or no mark for a part
 */
export function fill(template: string, parts: Readonly<Record<string, string>>): string {
  const used = new Set<string>();
  const text = template.replaceAll(/^@(.+)@$/gm, (mark, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`nothing stands for ${mark}`);
    used.add(name);
    return part;
  });
  const missing = Object.keys(parts).filter((name) => !used.has(name));
  if (missing.length > 0) throw new Error(`the template has no ${missing.map((name) => `@${name}@`).join()}`);
  return text;
}
