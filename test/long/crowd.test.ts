import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchFile } from 'viaduct';
import { watchDescriptors } from '../support/leaks.js';
import { processChain } from '../support/processes.js';
import { randomFile, tempFolder } from '../support/temp.js';

/** To each node all others of this machine are one client, whose part of the connections this takes. */
const DOWNLOADS = 120;
const SIZE = 2 ** 20;

test('120 downloads of 1 MiB at once over a loop of four hops on two nodes', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', SIZE);
  const { nodes, route } = await processChain(t, 2, { root });
  const released = watchDescriptors(...nodes);
  const ownReleased = watchDescriptors();
  const loop = [...route, ...route];
  const download = async (): Promise<void> => {
    let at = 0;
    await fetchFile({ name: 'file', route: loop }, async (chunk) => {
      assert.ok(chunk.equals(file.subarray(at, at + chunk.length)), `bytes from ${at} on differ`);
      at += chunk.length;
    });
    assert.equal(at, SIZE);
  };
  await Promise.all(Array.from({ length: DOWNLOADS }, download));
  await released();
  await ownReleased();
  for (const node of nodes) {
    const completed = node.lines.filter((line) => line.endsWith('completed'));
    assert.equal(completed.length, 2 * DOWNLOADS);
  }
});
