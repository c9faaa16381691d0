import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type TestGateway, testGateway } from '../support/gateway.js';
import { httpChain, runPeer } from '../support/http-chain.js';
import { CONTROL_NAMES, ODD_NAMES, treeOf, writeNames } from '../support/odd-names.js';
import { havePeer } from '../support/peers.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { MIB } from './routes.js';

/** What is under `root` at the end of three relays, opened here. */
async function opened(t: TestContext, root: string, path: string): Promise<TestGateway> {
  const { nodes } = await httpChain(t, root);
  return testGateway(t, { route: nodes.map(({ hop }) => hop), path });
}

test('curl: a file, its rest, and nothing of what is not there', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const root = tempFolder(t);
  const bytes = randomFile(root, 'a file', 5 * MIB);
  const { url } = await opened(t, root, '/');
  const folder = tempFolder(t);
  const target = join(folder, 'saved');
  const curl = (args: readonly string[]) =>
    runPeer(t, folder, 'curl', ['-q', '-sS', '--max-time', '60', '-o', target, ...args]);
  assert.equal((await curl(['-r', '0-999999', `${url}a%20file`])).code, 0);
  assert.equal((await curl(['-C', '-', `${url}a%20file`])).code, 0);
  assert.equal(sha256(readFileSync(target)), sha256(bytes));
  assert.equal((await curl(['-f', `${url}missing`])).code, 22);
});

test('aria2c -x4 -s4: parts at once', async (t) => {
  if (!havePeer(t, 'aria2c')) return;
  const root = tempFolder(t);
  const bytes = randomFile(root, 'a file', 64 * MIB);
  const gateway = await opened(t, root, '/a%20file');
  const folder = tempFolder(t);
  const settings = ['--no-conf', '--enable-dht=false', '--file-allocation=none', '--min-split-size=1M'];
  const run = await runPeer(t, folder, 'aria2c', ['-q', ...settings, '-x4', '-s4', gateway.url]);
  assert.equal(run.code, 0, run.stdout);
  assert.equal(sha256(readFileSync(join(folder, 'a file'))), sha256(bytes));
  const parts = gateway.events.filter((event) => event.type === 'reply' && event.status === 206);
  // The first request asks for all, and may get far before the others are answered.
  assert.ok(parts.length >= 1);
});

test('rclone copy of a folder with odd names', async (t) => {
  if (!havePeer(t, 'rclone')) return;
  const root = tempFolder(t);
  writeNames(join(root, 'a folder'), [...ODD_NAMES, ...CONTROL_NAMES]);
  writeNames(join(root, 'a folder', '100% of #1?'), ['@h3:1', 'two words']);
  const { url } = await opened(t, root, '/a%20folder/');
  const folder = tempFolder(t);
  const args = ['copy', '--no-unicode-normalization', '--http-url', url, ':http:', 'copied'];
  const { code, stderr } = await runPeer(t, folder, 'rclone', args);
  assert.equal(code, 0, stderr);
  assert.deepEqual(treeOf(join(folder, 'copied')), treeOf(join(root, 'a folder')));
});

test('wget -r -np of a tree', async (t) => {
  if (!havePeer(t, 'wget')) return;
  const root = tempFolder(t);
  const tree = join(root, 'tree');
  // As over nodes (http-wget.slow.test.ts).
  writeNames(
    tree,
    ODD_NAMES.filter((name) => name !== 'index.html' && !name.startsWith('%')),
  );
  writeNames(join(tree, 'a folder'), ['a file', 'größe']);
  randomFile(join(tree, 'a folder'), 'picture.jpg', 2 * MIB);
  mkdirSync(join(root, 'elsewhere'));
  writeNames(join(root, 'elsewhere'), ['not below the tree']);
  const { url } = await opened(t, root, '/tree/');
  const folder = tempFolder(t);
  // The secret is the first folder of the URL's path.
  const shape = ['-nH', '--cut-dirs=2', '--restrict-file-names=nocontrol', '-P', 'copied'];
  const args = ['-q', '-r', '-np', '-l', 'inf', '-e', 'robots=off', '-R', 'index.html*', ...shape, url];
  const { code, stderr } = await runPeer(t, folder, 'wget', args);
  assert.equal(code, 0, stderr);
  assert.deepEqual(treeOf(join(folder, 'copied')), treeOf(tree));
});
