import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { httpChain, runPeer } from '../support/http-chain.js';
import { ODD_NAMES, treeOf, writeNames } from '../support/odd-names.js';
import { havePeer } from '../support/peers.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { MIB } from './routes.js';

test('wget -r -np of a tree over 3 relays', async (t) => {
  if (!havePeer(t, 'wget')) return;
  const root = tempFolder(t);
  const tree = join(root, 'tree');
  // Two habits of wget's own: it decodes %2541 twice when it names a file, and calls a listing index.html.
  writeNames(
    tree,
    ODD_NAMES.filter((name) => name !== 'index.html' && !name.startsWith('%')),
  );
  writeNames(join(tree, 'a folder'), ['a file', 'größe']);
  writeNames(join(tree, 'a folder', '100% of #1?'), ['@h3:1', 'two words']);
  writeNames(join(tree, '@h4:1', 'deep', 'deeper'), ['@h3:1']);
  randomFile(join(tree, 'a folder'), 'picture.jpg', 2 * MIB);
  mkdirSync(join(root, 'elsewhere'));
  writeNames(join(root, 'elsewhere'), ['not below the tree']);
  const chain = await httpChain(t, root);
  const folder = tempFolder(t);
  // The route is three folders of the URL's path, and the tree's own name is the fourth.
  const shape = ['-nH', '--cut-dirs=4', '--restrict-file-names=nocontrol', '-P', 'copied'];
  const args = ['-q', '-r', '-np', '-l', 'inf', '-e', 'robots=off', '-R', 'index.html*', ...shape];
  const { code, stderr } = await runPeer(t, folder, 'wget', [...args, chain.url('/tree/')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(treeOf(join(folder, 'copied')), treeOf(tree));
});
