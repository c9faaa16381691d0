import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { withoutCalls } from '../support/calls.js';
import { fetchBytes, messageOf } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { NodeProcess } from '../support/processes.js';
import { rawConnect, rawServer, readToEnd } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';

function startWithout(t: TestContext, root: string, how = ''): Promise<NodeProcess> {
  const hide = new URL(`../support/hide-koffi.js${how}`, import.meta.url).href;
  return NodeProcess.start(t, { root, nodeArgs: ['--import', hide] });
}

test('a node without koffi serves and relays, and its log says what is missing', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 3_000_000);
  const [origin, relay] = await Promise.all([startWithout(t, root), startWithout(t, root)]);
  const released = watchDescriptors(origin, relay);
  assert.deepEqual(await fetchBytes('file', [relay.hop, origin.hop]), file);
  await released();
  for (const node of [origin, relay]) {
    const listening = node.log.find(({ msg }) => msg === 'listening');
    assert.match(String(listening?.['resetOnDeath']), /koffi is not installed/);
  }
});

test('a node whose koffi does not load says why', async (t) => {
  const node = await startWithout(t, tempFolder(t), '?broken');
  assert.equal(
    node.log.find(({ msg }) => msg === 'listening')?.['resetOnDeath'],
    'the optional package koffi does not load: GLIBC_2.99 not found',
  );
});

test('a node with koffi says so', { skip: withoutCalls }, async (t) => {
  const node = await NodeProcess.start(t);
  assert.equal(node.log.find(({ msg }) => msg === 'listening')?.['resetOnDeath'], 'yes');
});

test('a node without koffi that is told to stop twice resets what runs, since a FIN would look like success', async (t) => {
  const relay = await startWithout(t, tempFolder(t));
  const { hop } = await rawServer(t, (socket) => void socket.resume().write('x'));
  const client = await rawConnect(t, relay.hop);
  client.write(messageOf('x', [hop]));
  await once(client, 'data');
  const ending = readToEnd(client);
  relay.process.kill('SIGTERM');
  await relay.until(({ log }) => log.some(({ msg }) => msg === 'stopping'));
  relay.process.kill('SIGTERM');
  assert.equal((await ending).how, 'reset');
  assert.equal(await relay.ended, 143);
});
