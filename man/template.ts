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
