import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate } from 'node:timers/promises';
import { Archives, type ArchiveRequest } from '#src/node/origin/archive/archives.js';
import { LISTINGS_PER_CLIENT } from '#src/node/origin/folder-names.js';
import { Root } from '#src/node/origin/root.js';
import { failureOf } from '../../../../support/failures.js';
import { watchDescriptors } from '../../../../support/leaks.js';
import { tempFolder } from '../../../../support/temp.js';

/** A request for the archive of a root with `dir/` and, in it, `files` files. */
async function prepare(t: TestContext, files = 3) {
  const path = realpathSync(tempFolder(t));
  mkdirSync(join(path, 'dir'));
  for (let index = 0; index < files; index += 1) writeFileSync(join(path, 'dir', `file ${index}`), 'x');
  const root = await Root.at(path, false);
  const folder = await root.open('');
  assert.equal(folder.kind, 'folder');
  t.after(() => folder.handle?.close());
  const request = (more: Partial<ArchiveRequest> = {}): ArchiveRequest => ({
    top: { folder, name: '', root, shares: new Map() },
    client: 'client',
    goesOn: undefined,
    signal: new AbortController().signal,
    ...more,
  });
  return { path, request };
}

test('a tree is read anew for a new request, and not for one that goes on, unless it was found changed', async (t) => {
  const { path, request } = await prepare(t);
  const archives = new Archives();
  const first = await archives.hold(request());
  writeFileSync(join(path, 'new'), 'x');
  const goingOn = await archives.hold(request({ goesOn: '' }));
  assert.equal(goingOn.plan, first.plan);
  first.drop();
  const after = await archives.hold(request({ goesOn: '' }));
  assert.equal(after.plan.entries, first.plan.entries + 1);
  // What was dropped before is not dropped again.
  first.drop();
  assert.equal((await archives.hold(request({ goesOn: '' }))).plan, after.plan);
  writeFileSync(join(path, 'newer'), 'x');
  assert.equal((await archives.hold(request())).plan.entries, after.plan.entries + 1);
});

test('a client goes on with the archive that it names, whatever others have begun since', async (t) => {
  const { path, request } = await prepare(t);
  const archives = new Archives();
  const first = await archives.hold(request());
  assert.equal((await archives.hold(request())).plan, first.plan, 'what is the same is kept once');
  writeFileSync(join(path, 'new'), 'x');
  const second = await archives.hold(request());
  for (const { plan } of [first, second])
    assert.equal((await archives.hold(request({ goesOn: `"tar-${plan.tag}"` }))).plan, plan);
  assert.equal((await archives.hold(request({ goesOn: '"unknown"' }))).plan, second.plan, 'read anew');
});

test('the plan of one folder is not that of another', async (t) => {
  const { request } = await prepare(t);
  const archives = new Archives();
  const whole = await archives.hold(request());
  const { root } = request().top;
  const folder = await root.open('dir/');
  assert.equal(folder.kind, 'folder');
  const top = { ...request().top, folder, name: 'dir/' };
  const part = await archives.hold(request({ top, goesOn: '' }));
  t.after(() => folder.handle?.close());
  assert.deepEqual([whole.plan.top, part.plan.top], ['', 'dir/']);
  const limited = { ...top, root: root.only(['dir']) };
  await (await limited.root.open('dir/')).handle?.close();
  const ofPart = await archives.hold(request({ top, goesOn: '' }));
  assert.equal(ofPart.plan, part.plan);
  assert.notEqual((await archives.hold(request({ top: limited, goesOn: '' }))).plan, part.plan);
});

test('a client that leaves ends the reading, and so does its time limit', async (t) => {
  const { request } = await prepare(t, 1000);
  const nothingOpen = watchDescriptors();
  const leaving = new AbortController();
  const held = new Archives().hold(request({ signal: leaving.signal }));
  const reason = new Error('it has left');
  leaving.abort(reason);
  await assert.rejects(held, reason);
  // A thread takes longer to start.
  const late = await failureOf(new Archives({ walkMs: 1 }).hold(request()));
  assert.equal(late.code, 'UNAVAILABLE');
  await nothingOpen();
});

test('a tree may have so many entries, with its folders, and no more', async (t) => {
  const { request } = await prepare(t, 10);
  const { plan } = await new Archives({ maxEntries: 12 }).hold(request());
  assert.equal(plan.entries, 12);
  const { code, message } = await failureOf(new Archives({ maxEntries: 11 }).hold(request()));
  assert.equal(code, 'FORBIDDEN');
  assert.match(message, /more than 11 files and folders/);
});

test('one client has so many archives under way; what has ended counts no more', async (t) => {
  const { request } = await prepare(t);
  const archives = new Archives();
  const first = await archives.hold(request());
  for (let more = 1; more < LISTINGS_PER_CLIENT; more += 1) await archives.hold(request({ goesOn: '' }));
  assert.equal((await failureOf(archives.hold(request()))).code, 'UNAVAILABLE');
  await archives.hold(request({ client: 'another' }));
  first.release();
  await archives.hold(request());
});

test('what is too deep for the system to open is left out, and counted', async (t) => {
  if (process.platform !== 'linux')
    return t.skip('a path of more than 4,096 bytes is made by way of proc(5)');
  const { path, request } = await prepare(t);
  const segment = 'a'.repeat(250);
  // Each folder is made from the one above: no path may be as long as these become.
  const open: number[] = [];
  t.after(() => open.forEach((fd) => closeSync(fd)));
  for (let above = path, length = path.length; length < 3850; length += segment.length + 1) {
    mkdirSync(join(above, segment));
    open.push(openSync(join(above, segment), 'r'));
    above = `/proc/self/fd/${open.at(-1)}`;
  }
  const deepest = `/proc/self/fd/${open.at(-1)}`;
  for (const name of ['b'.repeat(250), 'c']) writeFileSync(join(deepest, name), 'x');
  try {
    const { plan } = await new Archives().hold(request());
    assert.deepEqual(plan.leftOut, { links: 0, special: 0, unreadable: 1 });
    const [last] = plan.folders.toSorted((a, b) => b.path.length - a.path.length);
    assert.deepEqual(last?.files, ['c']);
  } finally {
    execFileSync('rm', ['-r', join(path, segment)]);
  }
});

test('nothing is left of a tree that nobody uses any more', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  const { request } = await prepare(t);
  const archives = new Archives();
  // As that of a connection that goes on.
  const { signal } = new AbortController();
  const used = await (async () => {
    const { plan, drop, release } = await archives.hold(request({ signal }));
    drop();
    release();
    return new WeakRef(plan);
  })();
  for (let left = 100; left > 0 && used.deref() !== undefined; left -= 1) {
    await setImmediate();
    collect();
  }
  assert.equal(used.deref(), undefined);
});

test('trees of archives on their way have so many entries together, and one client half of them', async (t) => {
  const { request } = await prepare(t, 8);
  const { root } = request().top;
  const folder = await root.open('dir/');
  assert.equal(folder.kind, 'folder');
  t.after(() => folder.handle?.close());
  const inside = { ...request().top, folder, name: 'dir/' };
  const archives = new Archives({ maxHeld: 18 });
  const first = await archives.hold(request());
  assert.equal(first.plan.entries, 10);
  const { code, message } = await failureOf(archives.hold(request({ top: inside })));
  assert.deepEqual(
    [code, message],
    ['UNAVAILABLE', 'too many large archives are on their way; try again later'],
  );
  // What is held already takes no more room.
  const again = await archives.hold(request({ goesOn: first.plan.tag }));
  assert.equal(again.plan, first.plan);
  again.release();
  const second = await archives.hold(request({ top: inside, client: 'another' }));
  assert.equal((await failureOf(archives.hold(request({ client: 'third' })))).code, 'UNAVAILABLE');
  first.release();
  second.release();
  await archives.hold(request({ client: 'third' }));
});

test('a tree that is read again is held once, though it is not kept', async (t) => {
  const { request } = await prepare(t);
  const archives = new Archives();
  const first = await archives.hold(request());
  first.drop();
  assert.equal((await archives.hold(request())).plan, first.plan);
});
