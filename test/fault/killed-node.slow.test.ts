import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { withoutCalls } from '../support/calls.js';
import { settles, watchDescriptors } from '../support/leaks.js';
import { processChain, startClient } from '../support/processes.js';
import { sparseFile, tempFolder } from '../support/temp.js';

const HOPS = 5;
/** More than any transfer moves before it is broken, and no more than a disk has room for if none is. */
const SIZE = 2 ** 32;
/** Nobody's own limit ends a transfer: whatever ends is ended by the death of a neighbour. */
const PATIENT = ['--timeout', '3600'];

/** How much of it has come: the size of the partial file. */
function received(folder: string): number {
  const partial = readdirSync(folder).find((name) => name.endsWith('.part'));
  return partial === undefined ? 0 : statSync(join(folder, partial)).size;
}

async function transfer(t: TestContext) {
  const root = tempFolder(t);
  const folder = tempFolder(t);
  sparseFile(root, 'large', SIZE);
  const { nodes, route } = await processChain(t, HOPS, {
    args: ['--root', root, '--stall-timeout', '3600', ...PATIENT],
  });
  const start = async () => {
    const client = startClient(t, folder, { name: 'large', route }, PATIENT);
    await settles(
      () => received(folder),
      (bytes) => bytes > 2 ** 20,
      (bytes) => `${bytes} bytes came`,
    );
    return client;
  };
  return { nodes, folder, start };
}

for (let victim = 0; victim < HOPS; victim += 1) {
  test(`kill -9 of node ${victim + 1} of ${HOPS} in mid-transfer`, { skip: withoutCalls }, async (t) => {
    const { nodes, folder, start } = await transfer(t);
    const survivors = nodes.filter((_, index) => index !== victim);
    const released = watchDescriptors(...survivors);
    const client = await start();
    nodes[victim]?.process.kill('SIGKILL');

    assert.equal(await client.ended, 18);
    assert.match(client.stderr, /hop 1 \(.*\) reset the connection after \d+ bytes/);
    assert.deepEqual(readdirSync(folder), ['input.txt'], 'nothing under the final name, no partial file');
    for (const [index, node] of nodes.entries()) {
      if (index === victim) continue;
      const { code, hopAddress } = await node.failure();
      const next = nodes[index + 1];
      if (index > victim) assert.equal(code, 'CLIENT_GONE');
      else assert.deepEqual([code, hopAddress], ['CUT_SHORT', next && formatHop(next.hop)]);
    }
    await released();
  });
}

// A relay that may not read, since its client takes nothing, cannot see its next hop die: it does when
// the client goes on, or it cuts the client at the stall limit.
test(
  'kill -9 of a node while the client takes nothing: it fails as soon as it goes on',
  { skip: withoutCalls },
  async (t) => {
    const { nodes, folder, start } = await transfer(t);
    const [first, second, third, ...others] = nodes;
    assert.ok(first && second && third);
    const released = watchDescriptors(first, third, ...others);
    const client = await start();
    client.process.kill('SIGSTOP');
    second.process.kill('SIGKILL');
    assert.equal((await third.failure())['code'], 'CLIENT_GONE');
    client.process.kill('SIGCONT');
    assert.equal(await client.ended, 18);
    assert.equal((await first.failure())['code'], 'CUT_SHORT');
    await released();
    assert.deepEqual(readdirSync(folder), ['input.txt']);
  },
);

test('kill -9 of the client: every node lets go', async (t) => {
  const { nodes, folder, start } = await transfer(t);
  const released = watchDescriptors(...nodes);
  const client = await start();
  client.process.kill('SIGKILL');
  assert.equal(await client.ended, 'SIGKILL');
  for (const node of nodes) assert.equal((await node.failure())['code'], 'CLIENT_GONE');
  await released();
  assert.ok(!readdirSync(folder).includes('large'));
});
