import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as library from 'viaduct';
import { Child } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const page = readFileSync(join(checkout, 'docs/library.md'), 'utf8');

test('the example of the library page prints what the page shows', async (t) => {
  const [, example, output] = /^```js\n(.*?)^```$.*?^```\n(.*?)^```$/ms.exec(page) ?? [];
  assert.ok(example !== undefined && output !== undefined);
  const project = tempFolder(t);
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(checkout, join(project, 'node_modules/viaduct'), 'junction');
  writeFileSync(join(project, 'example.mjs'), example);
  const child = new Child(t, process.execPath, ['example.mjs'], { cwd: project });
  assert.equal(await child.ended, 0, child.stderr);
  assert.equal(child.stdout, output);
});

test('the library page has every function of the library', () => {
  for (const [name, value] of Object.entries(library)) {
    assert.equal(typeof value, 'function', name);
    assert.ok(new RegExp(`\\b${name}\\b`).test(page), name);
  }
});
