import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HostHop, ViaductError, download, formatHop } from 'viaduct';
import { fetchFailure } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain } from '../support/nodes.js';
import { rawServer } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { outcomeOf } from '#src/cli/exit-codes.js';

/** A hop that takes a message, sends `bytes`, and resets, at once. */
async function resettingHop(t: TestContext, bytes: Buffer): Promise<HostHop> {
  const { hop } = await rawServer(t, (socket) => {
    socket.once('data', () => socket.write(bytes, () => socket.resetAndDestroy()));
  });
  return hop;
}

// Sizes below and above what one read takes: libuv reports a reset that it finds together with the
// last bytes as a clean end.
for (const size of [0, 1, 100, 20_000, 1_000_000]) {
  for (const relays of [0, 1, 3]) {
    test(`a reset after ${size} bytes is no clean end, over ${relays} relay(s)`, async (t) => {
      const broken = await resettingHop(t, Buffer.alloc(size, 'x'));
      const { nodes, route } = await testChain(t, relays);
      const nothingOpen = watchDescriptors();
      const failure = await fetchFailure('x', [...route, broken]);
      assert.equal(failure.code, 'CUT_SHORT');
      assert.equal(outcomeOf(failure).exit, 18);
      for (const [index, node] of nodes.entries()) {
        const { error } = await node.event('failed');
        assert.equal(error.code, 'CUT_SHORT');
        assert.equal(error.hopAddress, formatHop(nodes[index + 1]?.hop ?? broken));
      }
      await nothingOpen();
    });
  }
}

test('after a reset the old file is what it was, and there is no other', async (t) => {
  const broken = await resettingHop(t, Buffer.alloc(1000, 'x'));
  const { route } = await testChain(t, 1);
  const folder = tempFolder(t);
  const target = join(folder, 'x');
  writeFileSync(target, 'old');
  await assert.rejects(
    download({ name: 'x', route: [...route, broken] }, target),
    (error) => error instanceof ViaductError && error.code === 'CUT_SHORT',
  );
  assert.deepEqual(readdirSync(folder), ['x']);
  assert.equal(readFileSync(target, 'utf8'), 'old');
});
