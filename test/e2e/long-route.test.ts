import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchBytes } from '../support/fetch.js';
import { testChain, testNode } from '../support/nodes.js';
import { randomFile, tempFolder } from '../support/temp.js';

test('the longest route, 16 hops, over two nodes', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 300_000);
  const { route } = await testChain(t, 2, { root });
  const longest = Array.from({ length: 8 }, () => route).flat();
  assert.deepEqual(await fetchBytes('file', longest), file);
});

test('a node that comes up twice in a row', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 300_000);
  const { hop } = await testNode(t, { root });
  assert.deepEqual(await fetchBytes('file', [hop, hop, hop]), file);
});
