import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));

// The page of the registry is the README of the package: its links lead into the package.
test('all links of the pages in the package lead to files in it', () => {
  const options = { cwd: checkout, encoding: 'utf8', timeout: 60_000 } as const;
  const text = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], options);
  const [packed] = JSON.parse(text) as readonly { readonly files: readonly { readonly path: string }[] }[];
  const files = new Set(packed?.files.map(({ path }) => path));
  const pages = [...files].filter((path) => path.endsWith('.md'));
  assert.ok(pages.includes('README.md') && pages.length > 10);
  for (const page of pages) {
    for (const [, target = ''] of readFileSync(join(checkout, page), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(?:https?:|#)/.test(target)) continue;
      const path = posix.join(posix.dirname(page), target.replace(/#.*/, ''));
      assert.ok(
        files.has(path) || [...files].some((file) => file.startsWith(`${path}/`)),
        `${page}: ${target}`,
      );
    }
  }
});
