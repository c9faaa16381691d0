import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { FolderNames, type HeldNames } from '#src/node/origin/folder-names.js';
import { Root } from '#src/node/origin/root.js';
import { Slices, sortInSlices } from '#src/node/origin/slices.js';
import { watchDescriptors } from '../../../support/leaks.js';
import { testNode } from '../../../support/nodes.js';
import { tempFolder } from '../../../support/temp.js';
import { ask, get } from '../../../support/wire-replies.js';

/** Long before now: a change would surely change the folder's times. */
const PAST = new Date('2001-02-03T04:05:06Z');

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
      await opened.handle.close();
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
  assert.deepEqual(fourth.names.files, ['a', 'b']);
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
  }
  const [first, second] = [await hold('a/'), await hold('b/')];
  await assert.rejects(hold('c/'), { code: 'UNAVAILABLE' });
  assert.deepEqual((await hold('a/')).names, first.names);
  second.release();
  assert.deepEqual((await hold('c/')).names.files, ['1', '2']);
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

test('sorts as an array does, and lets the event loop turn meanwhile', async () => {
  const order = new Intl.Collator('en', { numeric: true }).compare;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string()), async (names) => {
      assert.deepEqual(await sortInSlices(names, order, new Slices()), names.toSorted(order));
    }),
  );
  let turns = 0;
  let isSorted = false;
  const count = (): void => {
    turns += 1;
    if (!isSorted) setImmediate(count);
  };
  setImmediate(count);
  await sortInSlices(
    Array.from({ length: 50_000 }, (_, index) => `name ${(index * 7919) % 50_000}`),
    order,
    new Slices(),
  );
  isSorted = true;
  assert.ok(turns >= 10, `${turns} turns`);
});
