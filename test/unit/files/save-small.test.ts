import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { partialPathsOf } from '#src/files/partial-name.js';
import { saveSmall } from '#src/files/save-small.js';
import { tempFolder } from '../../support/temp.js';

const BYTES = Buffer.from('content');
const TIME = new Date(1_000_000_000_000);

describe('a small file that is saved at once', () => {
  test('has its time, and the permissions that the umask leaves', async (t) => {
    const folder = tempFolder(t);
    for (const umask of [0, 0o002, 0o022, 0o077]) {
      const path = join(folder, `file-${umask}`);
      const before = process.umask(umask);
      try {
        assert.ok(await saveSmall(path, BYTES, TIME));
      } finally {
        process.umask(before);
      }
      const { mode, mtimeMs } = statSync(path);
      assert.deepEqual([mode & 0o777, mtimeMs], [0o666 & ~umask, TIME.getTime()]);
      assert.ok(readFileSync(path).equals(BYTES));
    }
    assert.equal(readdirSync(folder).length, 4);
  });

  test('takes the place of a file, whose permissions it keeps', async (t) => {
    const folder = tempFolder(t);
    for (const mode of [0o600, 0o640, 0o666, 0o755]) {
      const path = join(folder, `file-${mode}`);
      writeFileSync(path, 'older content');
      chmodSync(path, mode);
      assert.ok(await saveSmall(path, BYTES, undefined));
      assert.equal(statSync(path).mode & 0o777, mode);
      assert.ok(readFileSync(path).equals(BYTES));
    }
    assert.equal(readdirSync(folder).length, 4);
  });

  test('takes the place of nothing else, and leaves what is in its way', async (t) => {
    const folder = tempFolder(t);
    const path = join(folder, 'file');
    writeFileSync(join(folder, 'other'), 'other');
    symlinkSync('other', path);
    assert.equal(await saveSmall(path, BYTES, undefined), false);
    assert.equal(readFileSync(path, 'utf8'), 'other');
    mkdirSync(join(folder, 'sub'));
    assert.equal(await saveSmall(join(folder, 'sub'), BYTES, undefined), false);
    const { partial } = partialPathsOf(join(folder, 'new'), true);
    writeFileSync(partial, 'of another process');
    assert.equal(await saveSmall(join(folder, 'new'), BYTES, undefined), false);
    assert.equal(readFileSync(partial, 'utf8'), 'of another process');
    assert.deepEqual(readdirSync(folder).toSorted(), [
      partial.slice(folder.length + 1),
      'file',
      'other',
      'sub',
    ]);
  });

  test('whose hidden file another process has published meanwhile changes nothing of that', async (t) => {
    const folder = tempFolder(t);
    const path = join(folder, 'file');
    const { partial } = partialPathsOf(path, true);
    const saved = saveSmall(path, BYTES, TIME);
    // A thread creates it. It is seen here before the thread's answer, for which this loop leaves no time.
    for (let turn = 0; !existsSync(partial); turn += 1) {
      assert.ok(turn < 100);
      await new Promise(setImmediate);
      const until = performance.now() + 20;
      while (!existsSync(partial) && performance.now() < until);
    }
    writeFileSync(partial, 'of another process');
    renameSync(partial, path);
    assert.equal(await saved, false);
    assert.equal(readFileSync(path, 'utf8'), 'of another process');
    assert.deepEqual(readdirSync(folder), ['file']);
  });
});
