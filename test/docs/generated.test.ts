import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { generatedPages } from '../../man/docs.js';

for (const { path, text } of generatedPages()) {
  const name = `docs/${path.pathname.split('/').at(-1)}`;
  test(`${name} has the options, exit codes and errors of the program`, () => {
    const committed = readFileSync(path, 'utf8');
    assert.ok(committed === text, `${name} is out of date; run: npm run docs`);
  });
}
