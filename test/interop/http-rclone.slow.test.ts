import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { httpChain, runPeer } from '../support/http-chain.js';
import { CONTROL_NAMES, ODD_NAMES, treeOf, writeNames } from '../support/odd-names.js';
import { havePeer } from '../support/peers.js';
import { tempFolder } from '../support/temp.js';

const FILES = 200;

/*
 * Two habits of rclone's own: it takes names that are equal in Unicode's composed form for one, unless
 * told otherwise, and skips what is in a folder of the top level that has a colon in its name.
 */

test('rclone copy of a folder of 200 files with odd names over 3 relays', async (t) => {
  if (!havePeer(t, 'rclone')) return;
  const root = tempFolder(t);
  const odd = [...ODD_NAMES, ...CONTROL_NAMES];
  const plain = Array.from({ length: FILES - odd.length - 3 }, (_, index) => `plain & simple ${index}`);
  writeNames(join(root, 'a folder'), [...odd, ...plain]);
  writeNames(join(root, 'a folder', '100% of #1?'), ['@h3:1', 'two words']);
  writeNames(join(root, 'a folder', 'inner', '@h4:1'), ['@h3:1']);
  const chain = await httpChain(t, root);
  const folder = tempFolder(t);
  const { code, stderr } = await runPeer(t, folder, 'rclone', [
    'copy',
    '--no-unicode-normalization',
    '--http-url',
    chain.url('/a%20folder/'),
    ':http:',
    'copied',
  ]);
  assert.equal(code, 0, stderr);
  const copied = treeOf(join(folder, 'copied'));
  assert.deepEqual(copied, treeOf(join(root, 'a folder')));
  assert.equal(Object.keys(copied).filter((path) => !path.endsWith('/')).length, FILES);
});
