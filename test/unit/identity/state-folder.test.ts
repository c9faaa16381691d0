import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createStateFolder, stateFolderPath } from '#src/identity/state-folder.js';
import { failureOf } from '../../support/failures.js';
import { tempFolder } from '../../support/temp.js';

const NOBODY = 65_534;

test('where the state folder is', () => {
  process.env['XDG_STATE_HOME'] = '/x/state';
  assert.equal(stateFolderPath(), '/x/state/viaduct');
  assert.equal(stateFolderPath('/y'), '/y');
  assert.equal(stateFolderPath('y'), join(process.cwd(), 'y'));
  const ordinary = join(homedir(), '.local/state/viaduct');
  process.env['XDG_STATE_HOME'] = 'relative';
  assert.equal(stateFolderPath(), ordinary);
  process.env['XDG_STATE_HOME'] = '';
  assert.equal(stateFolderPath(), ordinary);
});

test('it is created with its parents, for this user only, also at once by several', async (t) => {
  const umask = process.umask(0);
  t.after(() => process.umask(umask));
  const top = tempFolder(t);
  const path = join(top, 'a/b/viaduct');
  await Promise.all(Array.from({ length: 10 }, () => createStateFolder(path)));
  for (const part of ['a', 'a/b', 'a/b/viaduct']) assert.equal(statSync(join(top, part)).mode & 0o777, 0o700);
});

test('an existing folder is used as it is, also through a link, and if others may read it', async (t) => {
  const top = tempFolder(t);
  const [path, link] = [join(top, 'folder'), join(top, 'link')];
  mkdirSync(path);
  chmodSync(path, 0o755);
  symlinkSync(path, link);
  await createStateFolder(link);
  assert.equal(statSync(path).mode & 0o777, 0o755);
});

test('a folder that others may write to is refused', async (t) => {
  const path = join(tempFolder(t), 'folder');
  mkdirSync(path);
  for (const mode of [0o770, 0o707, 0o1777]) {
    chmodSync(path, mode);
    const { code, message } = await failureOf(createStateFolder(path));
    assert.equal(code, 'READ_FAILED');
    assert.equal(
      message,
      `cannot use the state folder ${path}: it is writable by others; run: chmod go-w ${path}`,
    );
    assert.equal(statSync(path).mode & 0o7777, mode, 'it is unchanged');
  }
});

test(
  'a folder of another user is refused',
  { skip: process.geteuid?.() !== 0 && 'needs root' },
  async (t) => {
    const path = join(tempFolder(t), 'folder');
    mkdirSync(path);
    chownSync(path, NOBODY, NOBODY);
    const { message } = await failureOf(createStateFolder(path));
    assert.equal(message, `cannot use the state folder ${path}: it belongs to another user; use --state DIR`);
  },
);

test('a file in its place is refused', async (t) => {
  const path = join(tempFolder(t), 'file');
  writeFileSync(path, '');
  for (const place of [path, join(path, 'viaduct')]) {
    const { code, message } = await failureOf(createStateFolder(place));
    assert.equal(code, 'READ_FAILED');
    assert.equal(message, `cannot use the state folder ${place}: not a directory`);
  }
});
