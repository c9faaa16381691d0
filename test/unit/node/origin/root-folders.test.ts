import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { Root } from '#src/node/origin/root.js';
import { failureOf } from '../../../support/failures.js';
import { watchDescriptors } from '../../../support/leaks.js';
import { tempFolder } from '../../../support/temp.js';

/** A root with folders, beside another folder. */
function makeRoot(t: TestContext) {
  const folder = tempFolder(t);
  const [root, outside] = [join(folder, 'root'), join(folder, 'root-not')];
  for (const path of [join(root, 'sub/deep'), join(root, '.hidden'), outside])
    mkdirSync(path, { recursive: true });
  for (const path of [join(root, 'file'), join(root, 'sub/deep/file'), join(outside, 'secret')])
    writeFileSync(path, '');
  return { root, outside };
}

describe('folders', () => {
  test('are opened, the root by its empty name', async (t) => {
    const root = await Root.at(makeRoot(t).root, false);
    for (const [name, entries] of [
      ['', ['.hidden', 'file', 'sub']],
      ['sub/', ['deep']],
      ['sub', ['deep']],
      ['sub/deep', ['file']],
    ] as const) {
      const nothingLeft = watchDescriptors();
      const opened = await root.open(name);
      assert.equal(opened.kind, 'folder');
      assert.deepEqual(readdirSync(opened.path).toSorted(), entries);
      await opened.handle?.close();
      await nothingLeft();
    }
  });

  test('are read as they were opened, whatever is put in their place', async (t) => {
    const { root: path, outside } = makeRoot(t);
    const root = await Root.at(path, false);
    const opened = await root.open('sub/deep');
    t.after(() => opened.handle?.close());
    assert.equal(opened.kind, 'folder');
    renameSync(join(path, 'sub/deep'), join(path, 'moved'));
    symlinkSync(outside, join(path, 'sub/deep'));
    assert.deepEqual(readdirSync(opened.path), ['file']);
  });

  test('outside of the root are not, nor hidden ones', async (t) => {
    const { root: path, outside } = makeRoot(t);
    symlinkSync(outside, join(path, 'link'));
    const root = await Root.at(path, false);
    for (const name of ['link', 'link/', '..', '.hidden', '.hidden/']) {
      const nothingLeft = watchDescriptors();
      assert.equal((await failureOf(root.open(name))).code, 'FORBIDDEN');
      await nothingLeft();
    }
  });
});

describe('.viaduct below the root', () => {
  test('is never served, with dotfiles neither, under any spelling', async (t) => {
    const { root: path } = makeRoot(t);
    mkdirSync(join(path, '.viaduct'));
    writeFileSync(join(path, '.viaduct/status'), 'a forged status');
    for (const dotfiles of [false, true]) {
      const root = await Root.at(path, dotfiles);
      for (const name of [
        '.viaduct',
        '.viaduct/',
        '.viaduct/status',
        './.viaduct/status',
        './/.viaduct//status',
      ]) {
        assert.equal((await failureOf(root.open(name))).code, 'NOT_FOUND');
      }
    }
  });

  test('is not reached over a link to the root or to it either', async (t) => {
    const { root: path } = makeRoot(t);
    mkdirSync(join(path, '.viaduct'));
    writeFileSync(join(path, '.viaduct/file'), 'not to be served');
    symlinkSync('..', join(path, 'sub/up'));
    symlinkSync('.viaduct', join(path, 'link'));
    const root = await Root.at(path, true);
    for (const name of ['sub/up/.viaduct/file', 'sub/up/.viaduct/', 'link', 'link/', 'link/file']) {
      const nothingLeft = watchDescriptors();
      assert.equal((await failureOf(root.open(name))).code, 'NOT_FOUND');
      await nothingLeft();
    }
  });

  test('further down is a name like any other', async (t) => {
    const { root: path } = makeRoot(t);
    mkdirSync(join(path, 'sub/.viaduct'));
    writeFileSync(join(path, 'sub/.viaduct/file'), 'this is it');
    const { handle } = await (await Root.at(path, true)).openFile('sub/.viaduct/file');
    assert.equal(await handle.readFile('utf8'), 'this is it');
    await handle.close();
    const refusal = await failureOf((await Root.at(path, false)).openFile('sub/.viaduct/file'));
    assert.equal(refusal.code, 'FORBIDDEN');
  });
});
