import assert from 'node:assert/strict';
import { existsSync, truncateSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fetchFile } from 'viaduct';
import { failureOf, fetchFailure } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain, testNode } from '../support/nodes.js';
import { sparseFile, tempFolder } from '../support/temp.js';

/** More than all buffers of a chain hold. */
const LARGE = 2 ** 30;

async function shrinksOver(t: TestContext, hops: number): Promise<void> {
  const root = tempFolder(t);
  const path = sparseFile(root, 'file', LARGE);
  const { nodes, route } = await testChain(t, hops, { root });
  const nothingOpen = watchDescriptors();
  const shrink = async (): Promise<void> => truncateSync(path, 1000);
  const failure = await failureOf(fetchFile({ name: 'file', route }, shrink));
  assert.equal(failure.code, 'CUT_SHORT');
  const origin = nodes.at(-1);
  const failed = await origin?.event('failed');
  assert.equal(failed?.error.code, 'READ_FAILED');
  assert.match(failed.error.message, /shrank to \d+ bytes/);
  await nothingOpen();
}

for (const hops of [1, 3]) {
  test(`a file that shrinks while it is sent ends in a reset, over ${hops} hop(s)`, (t) =>
    shrinksOver(t, hops));
}

test('a file that grows while it is sent is sent as it was', async (t) => {
  const root = tempFolder(t);
  const path = sparseFile(root, 'file', 3_000_000);
  const { route } = await testChain(t, 2, { root });
  let bytes = 0;
  await fetchFile({ name: 'file', route }, async (chunk) => {
    if (bytes === 0) truncateSync(path, 4_000_000);
    bytes += chunk.length;
  });
  assert.equal(bytes, 3_000_000);
});

test('a file that cannot be read ends in a reset', async (t) => {
  // A regular file of 4,096 bytes that answers EINVAL to read(2), on Linux.
  const root = '/sys/devices/virtual/net/lo';
  if (!existsSync(`${root}/speed`)) return t.skip(`${root}/speed is not there`);
  const node = await testNode(t, { root });
  const nothingOpen = watchDescriptors();
  const failure = await fetchFailure('speed', [node.hop]);
  assert.equal(failure.code, 'CUT_SHORT');
  assert.equal((await node.event('failed')).error.code, 'READ_FAILED');
  await nothingOpen();
});
