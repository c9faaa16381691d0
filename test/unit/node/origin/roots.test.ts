import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FolderNames } from '#src/node/origin/folder-names.js';
import type { Root } from '#src/node/origin/root.js';
import { openRoots } from '#src/node/origin/roots.js';
import { Secrets } from '#src/node/origin/secrets.js';
import { failureOf } from '../../../support/failures.js';
import { tempFolder } from '../../../support/temp.js';

/** `top/` with `file` and `inner/`, which is shared under another name, and `beside/`, which is too. */
function tree(t: TestContext) {
  const folder = tempFolder(t);
  const [top, inner, beside] = [join(folder, 'top'), join(folder, 'top/inner'), join(folder, 'beside')];
  mkdirSync(join(inner, '.viaduct'), { recursive: true });
  mkdirSync(join(beside, 'deep'), { recursive: true });
  for (const path of [top, inner, beside, join(beside, 'deep')]) writeFileSync(join(path, 'file'), path);
  writeFileSync(join(inner, '.viaduct/file'), 'x');
  symlinkSync(inner, join(top, 'link'));
  symlinkSync(beside, join(inner, 'out'));
  symlinkSync('deep', join(beside, 'within'));
  const shares = [
    { name: 'private', folder: inner },
    { name: 'a b', folder: beside },
  ];
  return { folder, top, inner, beside, shares };
}

const open = (options: Partial<Parameters<typeof openRoots>[0]>) =>
  openRoots({ port: 0, ...options }, new Secrets());

async function refused(root: Root | undefined, name: string): Promise<void> {
  assert.ok(root);
  assert.equal((await failureOf(root.openFile(name))).code, 'NOT_FOUND', name);
}

async function read(root: Root | undefined, name: string): Promise<string> {
  assert.ok(root);
  const { handle } = await root.openFile(name);
  const text = await handle.readFile('utf8');
  await handle.close();
  return text;
}

async function listed(options: Parameters<typeof open>[0]): Promise<readonly string[]> {
  const roots = await open(options);
  const folder = await roots.top.open('');
  assert.equal(folder.kind, 'folder');
  const { names, release } = await new FolderNames().hold(folder, '', roots.top, 'client');
  release();
  await folder.handle?.close();
  return [...names.folders, ...names.files];
}

test('names of a share begin with its name; whatever else leads to it is not found', async (t) => {
  const { top, inner, beside, shares } = tree(t);
  const roots = await open({ root: top, shares, dotfiles: true });
  const [hidden, open2] = [roots.shares.get('private'), roots.shares.get('a b')];
  assert.equal(await read(roots.top, 'file'), top);
  assert.equal(await read(hidden, 'private/file'), inner);
  assert.equal(await read(hidden, './/private/./file'), inner);
  assert.equal(await read(hidden, 'private/.viaduct/file'), 'x', 'reserved is the first segment only');
  assert.equal(await read(open2, 'a b/within/file'), join(beside, 'deep'));
  for (const [root, name, code] of [
    // As what does not exist.
    [roots.top, 'inner/file', 'NOT_FOUND'],
    [roots.top, 'inner/missing', 'NOT_FOUND'],
    [roots.top, 'inner', 'NOT_FOUND'],
    [roots.top, 'link/file', 'NOT_FOUND'],
    [hidden, 'private/out/file', 'NOT_FOUND'],
    [hidden, 'private/out/missing', 'NOT_FOUND'],
    [hidden, 'private/../file', 'FORBIDDEN'],
    [open2, 'a b/../top/file', 'FORBIDDEN'],
  ] as const) {
    assert.ok(root);
    assert.equal((await failureOf(root.openFile(name))).code, code, name);
  }
});

test('a client that may read a part of a share is kept in that part', async (t) => {
  const { beside, shares } = tree(t);
  const root = (await open({ shares })).shares.get('a b')?.only(['a b', 'deep']);
  assert.equal(await read(root, 'a b/deep/file'), join(beside, 'deep'));
  assert.equal(root?.topDepth, 2);
  assert.equal((await failureOf(read(root, 'a b/file'))).code, 'NOT_FOUND');
});

test('a shared folder stays guarded where it is reached otherwise: moved, by a link that was given, from outside, hidden', async (t) => {
  const { folder, top, inner, beside, shares } = tree(t);
  mkdirSync(join(folder, 'next'));
  writeFileSync(join(folder, 'next/file'), 'next');
  symlinkSync(beside, join(top, 'current'));
  mkdirSync(join(top, 'wide'));
  writeFileSync(join(top, 'wide/file'), 'hidden by the share');
  symlinkSync('wide', join(top, 'to-hidden'));
  const more = [
    ...shares.slice(0, 1),
    { name: 'current', folder: join(top, 'current') },
    { name: 'wide', folder },
  ];
  const roots = await open({ root: top, shares: more });
  const [current, wide] = [roots.shares.get('current'), roots.shares.get('wide')];
  // A wider share does not open the root that is in it.
  assert.equal(await read(wide, 'wide/next/file'), 'next');
  for (const name of ['wide/top/file', 'wide/top/inner/file', 'wide/beside/file']) await refused(wide, name);
  await refused(roots.top, 'to-hidden/file');
  renameSync(inner, join(top, 'moved'));
  await refused(roots.top, 'moved/file');
  await refused(wide, 'wide/top/moved/file');
  rmSync(join(top, 'current'));
  symlinkSync(join(folder, 'next'), join(top, 'current'));
  await refused(roots.top, 'current/file');
  assert.equal(await read(current, 'current/file'), beside, 'as it was at the start');
});

test('a share of all that there is', async (t) => {
  const { folder, top } = tree(t);
  const { shares } = await open({ shares: [{ name: 'all', folder: '/' }] });
  assert.equal(await read(shares.get('all'), `all${top}/file`), top);
  const roots = await open({ root: '/', shares: [{ name: 'private', folder }] });
  assert.equal((await failureOf(read(roots.top, `${top.slice(1)}/file`))).code, 'NOT_FOUND');
  const whole = await roots.top.open('');
  assert.equal(whole.kind, 'folder');
  await whole.handle?.close();
});

test('the listing of the root has no folder that is served elsewhere, nor a link to it', async (t) => {
  const { top, shares } = tree(t);
  assert.deepEqual(await listed({ root: top, shares }), ['file']);
  assert.deepEqual(await listed({ root: top }), ['inner', 'link', 'file']);
});

test('without a root there is nothing beside the shares', async (t) => {
  const { shares } = tree(t);
  const { top } = await open({ shares });
  assert.equal(top.path, '');
  for (const name of ['', '.', './/']) {
    const folder = await top.open(name);
    assert.deepEqual([folder.kind, folder.handle], ['folder', undefined]);
  }
  for (const name of ['file', 'package.json', '/etc/hostname', './etc', 'proc/'])
    assert.match((await failureOf(top.open(name))).code, /^(?:NOT_FOUND|FORBIDDEN)$/, name);
  assert.notEqual((await open({})).top.path, '', 'without shares the root is the working folder');
});

test('shares that are refused at the start', async (t) => {
  const { folder } = tree(t);
  for (const [name, path, message] of [
    ['', folder, 'a share has no name'],
    ['.x', folder, 'the share ".x" has a leading dot'],
    ['..', folder, 'the share ".." has a leading dot'],
    ['a/b', folder, 'the share "a/b" has a "/" in its name'],
    ['a\\b', folder, 'the share "a\\b" has a "\\" in its name'],
    ['a', join(folder, 'x'), `the share "a": folder ${join(folder, 'x')} does not exist`],
    ['a', join(folder, 'top/file'), `the share "a": ${join(folder, 'top/file')} is not a folder`],
  ] as const) {
    const error = await failureOf(open({ shares: [{ name, folder: path }] }));
    assert.deepEqual([error.code, error.message], ['USAGE', message]);
  }
  symlinkSync(folder, join(folder, 'again'));
  for (const options of [
    { root: folder, shares: [{ name: 'a', folder }] },
    {
      shares: [
        { name: 'a', folder },
        { name: 'b', folder: join(folder, 'again') },
      ],
    },
  ])
    assert.match((await failureOf(open(options))).message, /^the folder \S+ is served under two names$/);
  const twice = { name: 'a', folder };
  const error = await failureOf(open({ shares: [twice, twice] }));
  assert.deepEqual([error.code, error.message], ['USAGE', 'the share "a" is given twice']);
});
