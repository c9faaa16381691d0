import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { type FetchOptions, fetchFile } from 'viaduct';
import { messageOf } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { type TestNode, testChain } from '../support/nodes.js';
import { rawConnect, rawServer } from '../support/raw.js';
import { sparseFile, tempFolder } from '../support/temp.js';

const LONG_MS = 600_000;
/** More than any test moves before it breaks off. */
const ENDLESS = 2 ** 40;

async function allSawItGo(nodes: readonly TestNode[]): Promise<void> {
  for (const node of nodes) assert.equal((await node.event('failed')).error.code, 'CLIENT_GONE');
}

async function pouringChain(t: TestContext) {
  const root = tempFolder(t);
  sparseFile(root, 'endless', ENDLESS);
  const { nodes, route } = await testChain(t, 4, { root });
  const [first, ...rest] = route;
  assert.ok(first);
  const message = messageOf('endless', rest);
  return { nodes, route, first, message };
}

for (const manner of ['resetAndDestroy', 'destroy'] as const) {
  test(`a client that leaves in mid-body (${manner}) ends the whole chain`, async (t) => {
    const { nodes, first, message } = await pouringChain(t);
    const nothingOpen = watchDescriptors();
    const client = await rawConnect(t, first);
    client.write(message);
    await once(client, 'data');
    client[manner]();
    await allSawItGo(nodes);
    await nothingOpen();
  });
}

test('a client that resets ends a chain in which nothing moves', async (t) => {
  const { nodes, route } = await testChain(t, 3, { timeoutMs: LONG_MS });
  const { hop: silent, server } = await rawServer(t, (socket) => void socket.resume().write('x'));
  const reset = once(server, 'connection').then(async ([socket]) => once(socket, 'error'));
  const [first, ...rest] = [...route, silent];
  assert.ok(first);
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, first);
  client.write(messageOf('x', rest));
  await once(client, 'data');
  client.resetAndDestroy();
  await allSawItGo(nodes);
  assert.match(String(await reset), /ECONNRESET/, 'the last upstream is reset, not finished');
  await nothingOpen();
});

test('an aborted fetch throws the reason of the signal and ends the chain', async (t) => {
  const { nodes, route } = await pouringChain(t);
  const nothingOpen = watchDescriptors();
  const reason = new Error('enough');
  const stop = new AbortController();
  const options: FetchOptions = { signal: stop.signal, onEvent: () => stop.abort(reason) };
  await assert.rejects(
    fetchFile({ name: 'endless', route }, async () => {}, options),
    (error) => error === reason,
  );
  await allSawItGo(nodes);
  await nothingOpen();
});

test('a sink that fails throws its error and ends the chain', async (t) => {
  const { nodes, route } = await pouringChain(t);
  const nothingOpen = watchDescriptors();
  const full = new Error('full');
  await assert.rejects(
    fetchFile({ name: 'endless', route }, () => Promise.reject(full)),
    (error) => error === full,
  );
  await allSawItGo(nodes);
  await nothingOpen();
});
