import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FolderNames, type HeldNames } from '#src/node/origin/folder-names.js';
import { Root } from '#src/node/origin/root.js';
import { settles, watchDescriptors } from '../../../support/leaks.js';
import { testNode } from '../../../support/nodes.js';
import { rawConnect } from '../../../support/raw.js';
import { tempFolder } from '../../../support/temp.js';
import { ask, get } from '../../../support/wire-replies.js';

/** Long before now: a change would surely change the folder's times. */
const PAST = new Date('2001-02-03T04:05:06Z');

/** Lets calls of the file system hang until the test ends. @param which whether a call with this path hangs */
function hangs(t: TestContext, call: 'opendir' | 'stat', which: (path: string) => boolean): void {
  const ends: (() => void)[] = [];
  const hang = (): Promise<never> =>
    new Promise((_, reject) => ends.push(() => reject(new Error('the test has ended'))));
  const real = Reflect.get(fs, call);
  Reflect.set(fs, call, (...args: readonly unknown[]): unknown =>
    which(String(args[0])) ? hang() : Reflect.apply(real, fs, args),
  );
  syncBuiltinESMExports();
  t.after(() => {
    Reflect.set(fs, call, real);
    syncBuiltinESMExports();
    for (const end of ends) end();
  });
}

async function prepare(t: TestContext, maxHeld?: number) {
  const path = tempFolder(t);
  const root = await Root.at(path, false);
  const reader = new FolderNames(maxHeld);
  const hold = async (name: string, client = 'client'): Promise<HeldNames> => {
    const opened = await root.open(name);
    assert.equal(opened.kind, 'folder');
    try {
      return await reader.hold(opened, name, root, client);
    } finally {
      await opened.handle?.close();
    }
  };
  return { path, hold };
}

test('a folder is read once for all who ask while it is as it was, and anew when it has changed', async (t) => {
  const { path, hold } = await prepare(t);
  writeFileSync(join(path, 'a'), '');
  utimesSync(path, PAST, PAST);
  const [first, second] = await Promise.all([hold(''), hold('', 'other')]);
  assert.equal(first.names, second.names);
  first.release();
  second.release();
  const third = await hold('');
  assert.equal(third.names, first.names, 'the names were not kept');
  writeFileSync(join(path, 'b'), '');
  const fourth = await hold('');
  assert.deepEqual(third.names.files, ['a']);
  assert.deepEqual(fourth.names.files.toSorted(), ['a', 'b']);
});

test('names that may already be others are not kept: just changed, or with links', async (t) => {
  const { path, hold } = await prepare(t);
  for (const folder of ['new', 'links']) mkdirSync(join(path, folder));
  symlinkSync('../new', join(path, 'links/link'));
  utimesSync(join(path, 'links'), PAST, PAST);
  for (const name of ['new/', 'links/']) {
    const first = await hold(name);
    first.release();
    assert.notEqual((await hold(name)).names, first.names, name);
  }
});

test('a folder with links is read anew for each who asks later, also while others list it', async (t) => {
  const { path, hold } = await prepare(t, 5);
  mkdirSync(join(path, 'folder'));
  for (const name of ['folder/file', 'target']) writeFileSync(join(path, name), '');
  symlinkSync('../target', join(path, 'folder/link'));
  utimesSync(join(path, 'folder'), PAST, PAST);
  const slow = await hold('folder/', 'slow reader');
  assert.deepEqual(slow.names.files.toSorted(), ['file', 'link']);
  // Names that are the same are held once: else a further folder would be refused.
  for (let number = 0; number < 3; number += 1) assert.equal((await hold('folder/')).names, slow.names);
  rmSync(join(path, 'target'));
  mkdirSync(join(path, 'target'));
  const [next, beside] = await Promise.all([hold('folder/'), hold('folder/')]);
  assert.deepEqual([next.names.folders, next.names.files], [['link'], ['file']]);
  assert.equal(beside.names, next.names);
  slow.release();
  assert.deepEqual((await hold('folder/')).names, next.names);
});

test('folders that hang keep the names of another one from nobody', async (t) => {
  const { path, hold } = await prepare(t);
  for (const name of ['hung-1', 'hung-2', 'hung-3', 'folder']) mkdirSync(join(path, name));
  // Not by name: what is read is what was opened.
  let hung = 0;
  hangs(t, 'opendir', () => {
    hung += 1;
    return hung <= 3;
  });
  for (const name of ['hung-1/', 'hung-2/', 'hung-3/']) hold(name, 'attacker').catch(() => {});
  await settles(
    () => hung,
    (count) => count === 2,
    (count) => `${count} hang`,
  );
  writeFileSync(join(path, 'folder/file'), '');
  assert.deepEqual((await hold('folder/')).names.files, ['file']);
});

test('a file whose size is not answered keeps the listing of no other folder', async (t) => {
  const root = tempFolder(t);
  for (const name of ['hung', 'folder']) mkdirSync(join(root, name));
  for (const name of ['hung/never', 'folder/file']) writeFileSync(join(root, name), '');
  hangs(t, 'stat', (name) => name.endsWith('/never'));
  const node = await testNode(t, { root });
  for (let number = 0; number < 8; number += 1) {
    const socket = await rawConnect(t, node.hop);
    socket.write(get('/hung/'));
    await node.event('serving', number);
  }
  const { status, body } = await ask(t, node.hop, get('/folder/'));
  assert.equal(status, 200);
  assert.match(body.toString(), /file/);
});

test('one client has a bounded number of listings, and others have theirs', async (t) => {
  const { hold } = await prepare(t);
  const held: HeldNames[] = [];
  const fill = async (): Promise<void> => {
    for (;;) held.push(await hold('', 'attacker'));
  };
  await assert.rejects(fill, { code: 'UNAVAILABLE' });
  assert.ok(held.length >= 16 && held.length <= 1000);
  (await hold('', 'honest')).release();
  held.pop()?.release();
  (await hold('', 'attacker')).release();
});

test('large folders at once are refused before memory runs out', async (t) => {
  const { path, hold } = await prepare(t, 3);
  for (const folder of ['a', 'b', 'c']) {
    mkdirSync(join(path, folder));
    for (const name of ['1', '2']) writeFileSync(join(path, folder, name), '');
    utimesSync(join(path, folder), PAST, PAST);
  }
  const [first, second] = [await hold('a/'), await hold('b/')];
  await assert.rejects(hold('c/'), { code: 'UNAVAILABLE' });
  assert.deepEqual((await hold('a/')).names, first.names);
  second.release();
  assert.deepEqual((await hold('c/')).names.files.toSorted(), ['1', '2']);
});

test('HEAD does not read the folder', async (t) => {
  const root = tempFolder(t);
  const node = await testNode(t, { root });
  const nothingOpen = watchDescriptors();
  t.mock.method(FolderNames.prototype, 'hold', () => assert.fail('the folder was read'));
  const head = await ask(t, node.hop, get('/').replace('GET', 'HEAD'));
  assert.equal(head.status, 200);
  await nothingOpen();
});
