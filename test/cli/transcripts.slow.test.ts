import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { NodeProcess, startClient } from '../support/processes.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';

/** The two nodes of the issue, `pchost1` and `pchost2`. */
async function twoHosts(
  t: TestContext,
  root: string,
): Promise<readonly [NodeProcess, NodeProcess, readonly HostHop[]]> {
  const [first, second] = await Promise.all([
    NodeProcess.start(t, { root: tempFolder(t) }),
    NodeProcess.start(t, { root }),
  ]);
  const route = [first, second].map(({ hop }) => ({ host: 'localhost', port: hop.port }));
  return [first, second, route];
}

async function fetches(
  t: TestContext,
  name: string,
  route: readonly HostHop[],
  bytes: Buffer,
): Promise<void> {
  const folder = tempFolder(t);
  const client = startClient(t, folder, { name, route });
  assert.equal(await client.ended, 0, client.stderr);
  assert.equal(client.stderr, '');
  assert.match(client.stdout, /^The file got downloaded in the client\.\nfile\.bin {2}[^\n]+\n$/);
  assert.equal(sha256(readFileSync(join(folder, name))), sha256(bytes));
}

const onceOver = (role: string): string => `the server is ready
creating new thread 0
Working as a ${role} in thread 0
file sending in thread 0 completed
`;

/** The role of the first pass is the same for both hosts. */
const twiceOver = (role: string): string => `the server is ready
creating new thread 0
Working as a proxy in thread 0
creating new thread 1
Working as a ${role} in thread 1
file sending in thread 1 completed
file sending in thread 0 completed
`;

for (const size of [6, 5 * 1024 * 1024]) {
  test(`the transcript of two hops, ${size} bytes`, async (t) => {
    const root = tempFolder(t);
    const bytes = randomFile(root, 'file.bin', size);
    const [first, second, route] = await twoHosts(t, root);
    await fetches(t, 'file.bin', route, bytes);
    await first.until(({ lines }) => lines.length === 4);
    assert.equal(first.stdout, onceOver('proxy'));
    await second.until(({ lines }) => lines.length === 4);
    assert.equal(second.stdout, onceOver('server'));
  });

  test(`the transcript of two hosts twice, ${size} bytes`, async (t) => {
    const root = tempFolder(t);
    const bytes = randomFile(root, 'file.bin', size);
    const [first, second, route] = await twoHosts(t, root);
    await fetches(t, 'file.bin', [...route, ...route], bytes);
    await first.until(({ lines }) => lines.length === 7);
    assert.equal(first.stdout, twiceOver('proxy'));
    await second.until(({ lines }) => lines.length === 7);
    assert.equal(second.stdout, twiceOver('server'));
  });
}

test('a failure is printed in the same form by each node', async (t) => {
  const root = tempFolder(t);
  const [first, second, route] = await twoHosts(t, root);
  const client = startClient(t, tempFolder(t), { name: 'absent', route });
  assert.equal(await client.ended, 18);
  await first.until(({ lines }) => lines.length === 4);
  assert.equal(
    first.lines[3],
    `file sending in thread 0 failed: next hop localhost:${second.hop.port} reset the connection after 0 bytes`,
  );
  assert.equal(second.lines[3], 'file sending in thread 0 failed: there is no file "absent"');
});
