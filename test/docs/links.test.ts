import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(checkout, 'docs')).map((name) => `docs/${name}`),
];

for (const page of pages) {
  test(`the links of ${page} lead to files and headings that exist`, () => {
    const text = readFileSync(join(checkout, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = '', heading] = target.split('#');
      const path = file === '' ? join(checkout, page) : join(checkout, dirname(page), file);
      assert.ok(existsSync(path), target);
      if (heading !== undefined) assert.ok(headingsOf(path).includes(heading), target);
    }
  });
}

/** The anchors that GitHub makes of a page's headings. */
function headingsOf(path: string): string[] {
  const headings = [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

// The page once named a file that a later change had renamed.
test('the files that ARCHITECTURE.md names exist', () => {
  const text = readFileSync(join(checkout, 'ARCHITECTURE.md'), 'utf8');
  const named = [...text.matchAll(/`([a-z][\w-]*(?:\/[\w-]+)+\.ts)`/g)].map(([, file = '']) => file);
  assert.ok(named.length > 20, `only ${named.length} were found`);
  const missing = named.filter(
    (file) => !existsSync(join(checkout, file)) && !existsSync(join(checkout, 'src', file)),
  );
  assert.deepEqual(missing, []);
});

test('the tests that docs/security.md names for its promises exist', () => {
  const text = readFileSync(join(checkout, 'docs/security.md'), 'utf8');
  const named = [...text.matchAll(/`(test\/[\w/.-]+\.test\.ts)`/g)].map(([, file = '']) => file);
  assert.ok(named.length > 15, `only ${named.length} were found`);
  assert.deepEqual(
    named.filter((file) => !existsSync(join(checkout, file))),
    [],
  );
});
