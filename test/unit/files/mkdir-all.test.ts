import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mkdirAll } from '#src/files/fs.js';
import { tempFolder } from '../../support/temp.js';

test('makes all folders of a path, also at the same time, and leaves those that exist', async (t) => {
  const folder = tempFolder(t);
  const path = join(folder, 'a/b/c');
  await Promise.all([mkdirAll(path, 0o700), mkdirAll(path, 0o700), mkdirAll(join(folder, 'a/b/d'))]);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  await mkdirAll(path);
  await mkdirAll(folder);
});

test('a file in the way is an error', async (t) => {
  const file = join(tempFolder(t), 'file');
  writeFileSync(file, '');
  await assert.rejects(mkdirAll(file), { code: 'EEXIST' });
  await assert.rejects(mkdirAll(join(file, 'a/b')), { code: 'ENOTDIR' });
});

test('where the folder above takes none, it is an error, and not an endless loop', async (t) => {
  if (process.platform !== 'linux') return t.skip('/proc is of Linux');
  for (const path of ['/proc/viaduct', '/proc/viaduct/a/b'])
    await assert.rejects(mkdirAll(path), { code: 'ENOENT' });
});
