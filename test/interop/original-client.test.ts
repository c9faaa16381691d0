import assert from 'node:assert/strict';
import { test } from 'node:test';
import { havePeer } from '../support/peers.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { originalClient } from './original.js';
import { MIB, NAME, REQUESTS, startRoute } from './routes.js';

const clients: readonly (readonly [string, readonly string[]])[] = [
  ...REQUESTS,
  ['in segments of one byte', ['--one-by-one']],
  ['and closes its side', ['--fin']],
  ['without a final newline and closes its side', ['--no-final-newline', '--fin']],
];
for (const [how, options] of clients) {
  test(`an original client that sends its request ${how}: 5 MiB over viaduct nodes`, async (t) => {
    if (!havePeer(t, 'python3')) return;
    const root = tempFolder(t);
    const bytes = randomFile(root, NAME, 5 * MIB);
    const route = await startRoute(t, ['V', 'V', 'V'], root);
    const saved = await originalClient(t, tempFolder(t), { name: NAME, route }, options);
    assert.equal(sha256(saved), sha256(bytes));
  });
}

test('an original client over original and viaduct hops in turn', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const root = tempFolder(t);
  const bytes = randomFile(root, NAME, 5 * MIB);
  const route = await startRoute(t, ['O', 'V', 'O', 'V', 'O'], root);
  const saved = await originalClient(t, tempFolder(t), { name: NAME, route });
  assert.equal(sha256(saved), sha256(bytes));
});
