import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchFile } from 'viaduct';
import { testChain } from '../support/nodes.js';
import { randomFile, tempFolder } from '../support/temp.js';

for (const hops of [1, 2, 3, 5]) {
  test(`a file over ${hops} hop(s) arrives as it is`, async (t) => {
    const root = tempFolder(t);
    const bytes = randomFile(root, 'a file', 1_500_000);
    const { route } = await testChain(t, hops, { root });
    const chunks: Buffer[] = [];
    const result = await fetchFile(
      { name: 'a file', route },
      async (chunk) => void chunks.push(Buffer.from(chunk)),
    );
    assert.equal(result.bytes, bytes.length);
    assert.deepEqual(Buffer.concat(chunks), bytes);
  });
}
