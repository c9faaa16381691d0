import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { listFolder, startNode } from 'viaduct';
import { makeIdentity } from '#src/identity/certificate.js';
import { Root } from '#src/node/origin/root.js';
import { Secrets } from '#src/node/origin/secrets.js';
import { failureOf } from '../../../support/failures.js';
import { testNode } from '../../../support/nodes.js';
import { tempFolder } from '../../../support/temp.js';

/** A root that has the state folder, a key beside it, and every kind of link to them. */
function makeRoot(t: TestContext) {
  const root = realpathSync(tempFolder(t));
  const [state, key] = [join(root, 'state'), join(root, 'own.key')];
  mkdirSync(state);
  for (const path of [join(state, 'node.pem'), key, join(root, 'a.txt')]) writeFileSync(path, 'x');
  symlinkSync(join(state, 'node.pem'), join(root, 'link'));
  symlinkSync(state, join(root, 'link-to-folder'));
  linkSync(join(state, 'node.pem'), join(root, 'hard'));
  return { root, state, key };
}

test('keys are not served under any name, and not listed', async (t) => {
  const { root, state, key } = makeRoot(t);
  const served = await Root.at(root, true, await Secrets.of([state, key, join(root, 'missing')]));
  for (const name of [
    'state',
    'state/',
    'state/node.pem',
    'state/new.pem',
    'own.key',
    'link',
    'hard',
    'link-to-folder/node.pem',
  ]) {
    if (name === 'state/new.pem') writeFileSync(join(state, 'new.pem'), 'made later');
    assert.equal((await failureOf(served.open(name))).code, 'FORBIDDEN', name);
  }
  const file = await served.openFile('a.txt');
  await file.handle.close();

  const { hop } = await testNode(t, { root, secrets: [state, key] });
  const entries = await listFolder({ route: [hop], path: '/' }, { plain: true });
  const names = new Set(entries.map(({ name }) => name));
  for (const name of ['state', 'own.key', 'link', 'link-to-folder']) assert.ok(!names.has(name), name);
  assert.ok(names.has('a.txt'));
});

test('a root that is or lies in the state folder is refused', async (t) => {
  const { root, state } = makeRoot(t);
  const inside = join(state, 'deeper');
  mkdirSync(inside);
  const secrets = await Secrets.of([state]);
  for (const path of [state, inside, join(root, 'link-to-folder')])
    assert.equal((await failureOf(Root.at(path, false, secrets))).code, 'USAGE', path);
  assert.equal((await Root.at(dirname(state), false, secrets)).path, root);
});

/** Whether a root refuses names because of keys, or serves them. */
async function assertSecret(root: Root, isSecret: boolean, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (!isSecret) await (await root.openFile(name)).handle.close();
    else {
      const { code, message } = await failureOf(root.open(name));
      assert.deepEqual([code, /never served/.test(message)], ['FORBIDDEN', true], `${name}: ${message}`);
    }
  }
}

const write = (path: string, text: string): void => writeFileSync(path, text, { mode: 0o600 });

test('a state folder that is made after the start, also behind links that lead nowhere before', async (t) => {
  const root = realpathSync(tempFolder(t));
  symlinkSync(join(root, 'disk'), join(root, 'home'));
  symlinkSync('disk/other', join(root, 'other'));
  const paths = ['x/y/viaduct', 'home/state', 'other'].map((name) => join(root, name));
  const served = await Root.at(root, true, await Secrets.of(paths));
  const folders = ['x/y/viaduct', 'disk/state', 'disk/other'];
  for (const folder of folders) {
    mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, folder, 'made'), 'x');
  }
  await assertSecret(
    served,
    true,
    ...folders,
    ...folders.map((folder) => `${folder}/made`),
    'home/state/made',
  );
  writeFileSync(join(root, 'x/y/viaduct.txt'), 'x');
  await assertSecret(served, false, 'x/y/viaduct.txt');
});

test('a key whose link leads to another file: after the next look both are secret, by every name', async (t) => {
  const root = realpathSync(tempFolder(t));
  for (const folder of ['live', 'archive']) mkdirSync(join(root, folder));
  for (const name of ['key1.pem', 'key2.pem']) writeFileSync(join(root, 'archive', name), name);
  const link = join(root, 'live/key.pem');
  symlinkSync('../archive/key1.pem', link);
  const secrets = await Secrets.of([link]);
  const served = await Root.at(root, false, secrets);
  symlinkSync('../archive/key2.pem', `${link}.new`);
  renameSync(`${link}.new`, link);
  await assertSecret(served, true, 'live/key.pem', 'archive/key1.pem');
  await secrets.update();
  await assertSecret(served, true, 'live/key.pem', 'archive/key1.pem', 'archive/key2.pem');
});

test('a node looks again where its secrets lead to when it gets another identity', async (t) => {
  const root = realpathSync(tempFolder(t));
  for (const name of ['1', '2']) writeFileSync(join(root, name), 'x');
  const link = join(root, 'key');
  symlinkSync('1', link);
  const identity = makeIdentity();
  const node = await startNode({ port: 0, host: '127.0.0.1', root, identity, secrets: [link] });
  t.after(() => node.close(0));
  rmSync(link);
  symlinkSync('2', link);
  await node.useIdentity(makeIdentity());
  for (const path of ['/1', '/2', '/key']) {
    const response = await fetch(`http://127.0.0.1:${node.address.port}${path}`);
    await response.body?.cancel();
    assert.equal(response.status, 403, path);
  }
});

test('what leads nowhere in a state folder does not hide the rest of it', async (t) => {
  const root = realpathSync(tempFolder(t));
  const state = join(root, 'state');
  mkdirSync(state);
  symlinkSync('nowhere', join(state, 'a'));
  symlinkSync('b', join(state, 'b'));
  writeFileSync(join(state, 'node.pem'), 'x');
  linkSync(join(state, 'node.pem'), join(root, 'hard'));
  const served = await Root.at(root, false, await Secrets.of([state, '/dev/null/x', join(state, 'b/c')]));
  await assertSecret(served, true, 'hard');
});

test('a folder that this user may not look into is kept as a path', async (t) => {
  const root = realpathSync(tempFolder(t));
  const home = join(root, 'home');
  mkdirSync(join(home, 'state'), { recursive: true });
  writeFileSync(join(home, 'state/a'), 'x');
  chmodSync(home, 0);
  chmodSync(root, 0o755);
  const isRoot = process.geteuid?.() === 0;
  // Permissions do not concern root.
  if (isRoot) process.seteuid?.(65_534);
  try {
    const secrets = await Secrets.of([join(home, 'state')]);
    assert.ok(secrets.includes(join(home, 'state/a')));
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(home, 0o755);
  }
});

test('a path that cannot be checked is one line, not a defect', async () => {
  const { code, message } = await failureOf(Secrets.of([`/${'x'.repeat(300)}`]));
  assert.equal(code, 'READ_FAILED');
  assert.match(message, /^cannot check \/x+…, which must not be served: name too long$/);
});

test('a state folder under another path by a bind mount, and what is made in it later', async (t) => {
  const root = realpathSync(tempFolder(t));
  const [state, bound] = [join(root, 'state'), join(root, 'bound')];
  for (const folder of [state, bound]) mkdirSync(folder);
  try {
    execFileSync('mount', ['--bind', state, bound], { stdio: 'ignore' });
  } catch {
    return t.skip('needs the right to mount');
  }
  try {
    write(join(state, 'node.pem'), 'x');
    const served = await Root.at(root, false, await Secrets.of([state]));
    write(join(state, 'later'), 'x');
    await assertSecret(served, true, 'bound', 'bound/node.pem', 'bound/later');
  } finally {
    execFileSync('umount', ['-l', bound]);
  }
});

test('keys of other nodes and clients are not served, unless all users of the machine can read them', async (t) => {
  const root = realpathSync(tempFolder(t));
  const { key, cert } = makeIdentity();
  for (const name of ['node.pem', 'client.pem', 'node.pem.0123456789ab']) write(join(root, name), key + cert);
  symlinkSync('node.pem', join(root, 'link'));
  mkdirSync(join(root, 'other'));
  write(join(root, 'other/node.pem'), `# mine\n${cert}${key}`);
  const served = await Root.at(root, false, await Secrets.of([]));
  await assertSecret(
    served,
    true,
    'node.pem',
    'client.pem',
    'node.pem.0123456789ab',
    'link',
    'other/node.pem',
  );

  writeFileSync(join(root, 'other/client.pem'), key + cert, { mode: 0o644 });
  mkdirSync(join(root, 'third'));
  write(join(root, 'third/node.pem'), cert);
  write(join(root, 'third/own.pem'), key);
  await assertSecret(served, false, 'other/client.pem', 'third/node.pem', 'third/own.pem');
  const file = await served.openFile('third/node.pem');
  assert.equal(await file.handle.readFile('utf8'), cert, 'the look at the file left its position');
  await file.handle.close();
});

test('a file that gets the inode number of a deleted one of the state folder is served', async (t) => {
  const { root, state } = makeRoot(t);
  const [before, after] = [join(state, 'known_hosts'), join(root, 'new')];
  for (let attempt = 0; attempt < 100; attempt += 1) {
    write(before, 'x');
    const { ino } = statSync(before);
    const served = await Root.at(root, false, await Secrets.of([state]));
    rmSync(before);
    writeFileSync(after, 'x');
    const isReused = statSync(after).ino === ino;
    if (isReused) return assertSecret(served, false, 'new');
    rmSync(after);
  }
  t.skip('this file system gives new numbers');
});
