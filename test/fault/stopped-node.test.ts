import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fetchFailure, messageOf } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { rawConnect, rawServer, readToEnd } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';

const LONG_MS = 600_000;

/** A transfer through a node that has moved one byte and waits for the origin. */
async function runningTransfer(t: TestContext) {
  const node = await testNode(t, { timeoutMs: LONG_MS });
  const { hop, server } = await rawServer(t, (socket) => void socket.resume().write('x'));
  const nothingOpen = watchDescriptors();
  const connected = once(server, 'connection') as Promise<[Socket]>;
  const client = await rawConnect(t, node.hop);
  client.write(messageOf('x', [hop]));
  const ending = readToEnd(client);
  await once(client, 'data');
  const [origin] = await connected;
  return { node, client, origin, ending, nothingOpen };
}

test('a stopping node takes no new connection and lets a running transfer finish', async (t) => {
  const { node, client, origin, ending, nothingOpen } = await runningTransfer(t);
  const closed = node.close(LONG_MS);
  assert.equal((await fetchFailure('x', [node.hop])).code, 'REFUSED');
  origin.end('yz');
  assert.deepEqual(await ending, { bytes: Buffer.from('xyz'), how: 'end' });
  client.end();
  await closed;
  assert.equal((await node.event('completed')).bytes, 3);
  await nothingOpen();
});

test('after the grace period what is left is reset', async (t) => {
  const { node, ending, nothingOpen } = await runningTransfer(t);
  await node.close(0);
  assert.equal((await ending).how, 'reset');
  assert.equal((await node.event('failed')).error.code, 'ABORTED');
  await nothingOpen();
});

test('a second close ends the grace period of the first', async (t) => {
  const { node, ending, nothingOpen } = await runningTransfer(t);
  const gently = node.close(LONG_MS);
  await node.close(0);
  await gently;
  assert.equal((await ending).how, 'reset');
  await nothingOpen();
});

test('a request that is not whole when the node stops is reset at once', async (t) => {
  const node = await testNode(t, { timeoutMs: LONG_MS });
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, node.hop);
  const ending = readToEnd(client);
  await node.event('accepted');
  await node.close(LONG_MS);
  assert.equal((await ending).how, 'reset');
  assert.equal((await node.event('failed')).error.code, 'ABORTED');
  await nothingOpen();
});

test('a client that has its file and does not leave holds a node no longer than the grace period', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', 1000);
  const node = await testNode(t, { root });
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, node.hop);
  client.write(messageOf('file', []));
  let gone = false;
  const ending = readToEnd(client);
  await ending;
  client.once('close', () => (gone = true));
  await node.event('completed');
  await node.close(0);
  assert.equal(gone, false, 'the client still has its side open');
  client.destroy();
  await nothingOpen();
});
