import assert from 'node:assert/strict';
import {
  type Stats,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspectTarget, publish } from '#src/files/target.js';
import { failureOf } from '../../support/failures.js';
import { tempFolder } from '../../support/temp.js';

test('without followLinks, symbolic links are refused whatever they point to, and devices', async (t) => {
  const folder = tempFolder(t);
  for (const [name, to] of [
    ['nowhere', 'none'],
    ['folder', '.'],
    ['device', '/dev/null'],
  ] as const) {
    symlinkSync(to, join(folder, name));
    assert.match((await failureOf(inspectTarget(join(folder, name), false))).message, /: it is a link$/);
  }
  if (process.platform !== 'win32')
    assert.match((await failureOf(inspectTarget('/dev/null', false))).message, /: it is a device$/);
});

describe('publish', () => {
  test('fails if the partial file was replaced, and both files stay', async (t) => {
    const folder = tempFolder(t);
    const [path, target] = [join(folder, 'file.part'), join(folder, 'file')];
    const file = await open(path, 'wx');
    t.after(() => file.close());
    renameSync(path, join(folder, 'moved'));
    writeFileSync(path, 'another');
    const error = await failureOf(publish(file, path, await inspectTarget(target)));
    assert.equal(error.code, 'WRITE_FAILED');
    assert.match(error.message, /file\.part was replaced or removed by another process$/);
    assert.deepEqual(readdirSync(folder), ['file.part', 'moved']);
  });

  test('keeps the file open, and so locked', { skip: process.platform === 'win32' }, async (t) => {
    const folder = tempFolder(t);
    const [path, target] = [join(folder, 'file.part'), join(folder, 'file')];
    const file = await open(path, 'wx');
    t.after(() => file.close());
    writeFileSync(`${path}.json`, '{}');
    await publish(file, path, await inspectTarget(target), { sidecar: `${path}.json` });
    const named: Stats = statSync(target);
    assert.equal((await file.stat()).ino, named.ino);
    assert.deepEqual(readdirSync(folder), ['file']);
  });

  test('with keepExisting does not replace a file that was created in the meantime', async (t) => {
    const folder = tempFolder(t);
    const [path, target] = [join(folder, 'file.part'), join(folder, 'file')];
    const file = await open(path, 'wx');
    t.after(() => file.close());
    const inspected = await inspectTarget(target);
    writeFileSync(target, 'of another process');
    const error = await failureOf(publish(file, path, inspected, { keepExisting: true }));
    assert.equal(error.code, 'WRITE_FAILED');
    assert.match(error.message, /: another process has created it in the meantime$/);
    assert.equal(readFileSync(target, 'utf8'), 'of another process');
    assert.deepEqual(readdirSync(folder), ['file', 'file.part']);
  });
});
