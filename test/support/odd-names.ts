import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names of files that programs get wrong. Each is one path segment that Linux allows. */
export const ODD_NAMES: readonly string[] = [
  'two words',
  ' spaces around ',
  '100%',
  '%',
  '%41',
  '%2F',
  '%00',
  'a?b',
  '?',
  'a?b=c&d=e',
  'a#b',
  '#',
  '@x',
  '@h3:1',
  '@[::1]:80',
  'a@b',
  'a&b',
  '&amp;',
  '&lt;x&gt;',
  '&#39;',
  `it's "quoted"`,
  "'",
  '"',
  '<b>bold',
  '<script>',
  'größe',
  'gro\u0308ße',
  '文件',
  'файл',
  'ملف',
  '😀 👩‍👩‍👧',
  'e\u0301\u0323',
  '\u00a0',
  '-rf',
  '--help',
  'a:b',
  'C:',
  'http:',
  'http:x',
  'x;y',
  ';',
  'back\\slash',
  '\\',
  'a+b',
  '+',
  '*',
  '[x]',
  '{a,b}',
  '|',
  '~',
  '$HOME',
  '`id`',
  '!',
  '=',
  ',',
  '^',
  'a..b',
  'dot.',
  'x'.repeat(200),
  'ü'.repeat(100),
  'CON',
  'index.html',
];

/** Names with control characters, which some programs change as they please. */
export const CONTROL_NAMES: readonly string[] = [
  'new\nline',
  'tab\tname',
  'cr\rname',
  '\u0001',
  '\u007f',
  '\u0085',
];

/** Writes a file under each name; its text says which it is. */
export function writeNames(folder: string, names: Iterable<string>): void {
  mkdirSync(folder, { recursive: true });
  for (const name of names) writeFileSync(join(folder, name), `this is ${JSON.stringify(name)}\n`);
}

/** Every path below a folder, with the text of the files; folders end with `/`. */
export function treeOf(folder: string): Readonly<Record<string, string>> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  return Object.fromEntries(
    paths.map((path) => {
      const full = join(folder, path);
      return statSync(full).isDirectory() ? [`${path}/`, ''] : [path, readFileSync(full, 'latin1')];
    }),
  );
}
