import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { testNode } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { startClient } from '../support/processes.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { OriginalServer } from './original.js';
import { type Kind, MIB, NAME, REQUESTS, startHop, startRoute } from './routes.js';

/** Fetches with the viaduct client over real processes and compares. */
async function fetchesRight(t: TestContext, route: readonly HostHop[], expected: Buffer): Promise<void> {
  const folder = tempFolder(t);
  const client = startClient(t, folder, { name: NAME, route });
  assert.equal(await client.ended, 0, client.stderr);
  assert.equal(sha256(readFileSync(join(folder, NAME))), sha256(expected));
}

const places: readonly (readonly [string, readonly Kind[]])[] = [
  ['alone', ['O']],
  ['as first hop', ['O', 'V', 'V']],
  ['as middle hop', ['V', 'O', 'V']],
  ['as last hop', ['V', 'V', 'O']],
  ['as first and last hop', ['O', 'V', 'O']],
  ['as every other hop', ['V', 'O', 'V', 'O', 'V']],
];
for (const [place, kinds] of places) {
  test(`5 MiB with the original ${place}`, async (t) => {
    if (!havePeer(t, 'python3')) return;
    const root = tempFolder(t);
    const bytes = randomFile(root, NAME, 5 * MIB);
    await fetchesRight(t, await startRoute(t, kinds, root), bytes);
  });
}

for (const [how, options] of REQUESTS) {
  test(`an original relay that forwards ${how}`, async (t) => {
    if (!havePeer(t, 'python3')) return;
    const root = tempFolder(t);
    const bytes = randomFile(root, NAME, 100_000);
    await fetchesRight(t, await startRoute(t, ['V', 'O', 'V', 'V'], root, options), bytes);
  });
}

test('an original origin that sends one byte at a time', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const root = tempFolder(t);
  const bytes = randomFile(root, NAME, 20_000);
  const origin = await startHop(t, 'O', root, ['--piece', '1']);
  const relays = await startRoute(t, ['V', 'V'], root);
  await fetchesRight(t, [...relays, origin], bytes);
});

test('5 MiB from an original origin that sends odd pieces and closes only after the client', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const root = tempFolder(t);
  const bytes = randomFile(root, NAME, 5 * MIB);
  const origin = await startHop(t, 'O', root, ['--piece', '1013', '--drain']);
  const relays = await startRoute(t, ['V', 'V'], root);
  await fetchesRight(t, [...relays, origin], bytes);
});

for (const kinds of [
  ['V', 'O'],
  ['O', 'V'],
] as const) {
  test(`the same two hosts three times in turn, ${kinds.join(' and ')}`, async (t) => {
    if (!havePeer(t, 'python3')) return;
    const root = tempFolder(t);
    const bytes = randomFile(root, NAME, 5 * MIB);
    const pair = await startRoute(t, kinds, root);
    await fetchesRight(t, [...pair, ...pair, ...pair], bytes);
  });
}

test('an original server prints what the issue shows, and so do viaduct nodes beside it', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const root = tempFolder(t);
  const bytes = randomFile(root, NAME, 100_000);
  const original = await OriginalServer.start(t, root);
  const node = await testNode(t, { root });
  await fetchesRight(t, [original.hop, node.hop, original.hop, node.hop], bytes);
  await original.until(() => original.lines.length === 7);
  assert.deepEqual(original.lines, [
    'the server is ready',
    'creating new thread 0',
    'Working as a proxy in thread 0',
    'creating new thread 1',
    'Working as a proxy in thread 1',
    'file sending in thread 1 completed',
    'file sending in thread 0 completed',
  ]);
  await node.event('completed', 0);
  // Those that are lines on standard output.
  const printed = new Set(['request', 'relaying', 'serving', 'completed', 'failed']);
  assert.deepEqual(
    node.events.map(({ type }) => type).filter((type) => printed.has(type)),
    ['request', 'relaying', 'request', 'serving', 'completed', 'completed'],
  );
});

test('an original origin without the file closes cleanly: success, with a warning', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const route = await startRoute(t, ['V', 'O'], tempFolder(t));
  const folder = tempFolder(t);
  const client = startClient(t, folder, { name: 'absent', route });
  assert.equal(await client.ended, 0);
  assert.match(client.stderr, /^viaduct: warning: the file is empty; .*\n$/);
  assert.equal(readFileSync(join(folder, 'absent')).length, 0);
});
