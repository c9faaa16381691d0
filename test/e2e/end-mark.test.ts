import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fetchBytes, messageOf } from '../support/fetch.js';
import { testChain, testNode } from '../support/nodes.js';
import { exchange, rawConnect, rawServer } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';

/** A next hop that keeps every chunk that it gets and answers "done" once the first is there. */
async function listeningHop(t: TestContext) {
  const chunks: Buffer[] = [];
  const { hop } = await rawServer(t, (socket: Socket) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('data', () => socket.end('done'));
  });
  return { hop, chunks };
}

test('the client sends its message in one piece, the empty line at its end', async (t) => {
  const { hop, chunks } = await listeningHop(t);
  const next = { host: 'next.example', port: 12_000 };
  assert.equal((await fetchBytes('dir/a file', [hop, next])).toString(), 'done');
  assert.deepEqual(chunks.map(String), ['dir/a file\nnext.example 12000\n\n']);
});

for (const relays of [1, 3]) {
  test(`so does a relay, without its next hop, after ${relays} relay(s), whatever came in`, async (t) => {
    const { hop, chunks } = await listeningHop(t);
    const { route } = await testChain(t, relays);
    const [first, ...rest] = route;
    assert.ok(first);
    const last = { host: 'last.example', port: 11_000 };
    const unmarked = messageOf('a file', [...rest, hop, last]).slice(0, -2);
    const { bytes, how } = await exchange(t, first, unmarked);
    assert.deepEqual([bytes.toString(), how], ['done', 'end']);
    assert.deepEqual(chunks.map(String), ['a file\nlast.example 11000\n\n']);
  });
}

test('a message with its end mark crosses 8 nodes while one without waits for quiet at its first', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 1000);
  const origin = await testNode(t, { root });
  const { route } = await testChain(t, 8, { root });
  const answered: string[] = [];
  const without = exchange(t, origin.hop, 'file').then(() => answered.push('without'));
  await origin.event('accepted');
  assert.deepEqual(await fetchBytes('file', route), file);
  answered.push('with');
  await without;
  assert.deepEqual(answered, ['with', 'without']);
});

test('FIN ends a message as an empty line does', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', 1000);
  const origin = await testNode(t, { root });
  const answered: string[] = [];
  const without = exchange(t, origin.hop, 'file').then(() => answered.push('quiet'));
  await origin.event('accepted');
  const client = await rawConnect(t, origin.hop);
  client.end('file').resume();
  await once(client, 'end');
  answered.push('FIN');
  await without;
  assert.deepEqual(answered, ['FIN', 'quiet']);
});
