import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchBytes } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { processChain } from '../support/processes.js';
import { randomFile, tempFolder } from '../support/temp.js';

test('50 downloads at once over a loop of four hops on two nodes', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 2 ** 20);
  const { nodes, route } = await processChain(t, 2, { root });
  const released = watchDescriptors(...nodes);
  const loop = [...route, ...route];
  const downloads = Array.from({ length: 50 }, () => fetchBytes('file', loop));
  for (const bytes of await Promise.all(downloads)) assert.ok(bytes.equals(file));
  await released();
});
