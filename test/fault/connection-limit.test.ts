import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type ErrorCode, ViaductError } from 'viaduct';
import { request } from '#src/client/http/request.js';
import { fetchBytes, fetchFailure, messageOf } from '../support/fetch.js';
import { requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { type TestNode, testNode } from '../support/nodes.js';
import { exchange, rawConnect, readToEnd } from '../support/raw.js';
import { randomFile, sparseFile, tempFolder } from '../support/temp.js';

/** The reset can be there before the dialling side knows that it is connected. */
const RESET: ReadonlySet<ErrorCode> = new Set(['CUT_SHORT', 'REFUSED']);

/** A client that takes nothing of a large file: its request is being answered. */
async function servedClient(t: TestContext, node: TestNode): Promise<Socket> {
  const client = await rawConnect(t, node.hop);
  client.pause();
  client.write(messageOf('large', []));
  return client;
}

/** A client from another address than the others. */
async function connectFrom(t: TestContext, node: TestNode, localAddress: string): Promise<Socket> {
  const socket = connect({ ...node.hop, localAddress, allowHalfOpen: true });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

test('a connection above the limit is reset at once, takes no number, and the next one is served', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 1000);
  sparseFile(root, 'large', 2 ** 30);
  const node = await testNode(t, { root, maxConnections: 2 });
  const nothingOpen = watchDescriptors();
  const first = await servedClient(t, node);
  const second = await servedClient(t, node);
  await node.event('serving', 1);

  const third = connect(node.hop.port, node.hop.host);
  assert.deepEqual(await readToEnd(third), { bytes: Buffer.alloc(0), how: 'reset' });
  const refused = await node.event('refused');
  assert.equal(refused.limit, 2);
  assert.match(refused.peer, /127\.0\.0\.1/);
  assert.ok(RESET.has((await fetchFailure('file', [node.hop])).code));

  first.destroy();
  await node.event('failed', 0);
  assert.deepEqual(await fetchBytes('file', [node.hop]), file);
  assert.equal((await node.event('completed')).connectionId, 2);
  second.destroy();
  await nothingOpen();
});

test('a relay that is full looks to the one before it like a broken next hop', async (t) => {
  const root = tempFolder(t);
  sparseFile(root, 'large', 2 ** 30);
  const full = await testNode(t, { root, maxConnections: 1 });
  const relay = await testNode(t);
  const nothingOpen = watchDescriptors();
  const holder = await servedClient(t, full);
  await full.event('serving', 0);
  assert.equal((await fetchFailure('x', [relay.hop, full.hop])).code, 'CUT_SHORT');
  assert.ok(RESET.has((await relay.event('failed')).error.code));
  holder.destroy();
  await nothingOpen();
});

test('idle connections from one address shut nobody out', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 1000);
  const node = await testNode(t, { root, maxConnections: 40 });
  const idle: Promise<unknown>[] = [];
  for (let round = 0; round < 100; round += 1) {
    const socket = connect(node.hop);
    t.after(() => socket.destroy());
    idle.push(readToEnd(socket));
    if (round % 10 !== 9) continue;
    const honest = await connectFrom(t, node, '127.0.0.2');
    const ending = readToEnd(honest);
    honest.write(requestOf([node.hop], '/file'));
    const { bytes, how } = await ending;
    assert.equal(how, 'end');
    assert.deepEqual(bytes.subarray(-file.length), file);
  }
  assert.deepEqual(await idle.at(-1), { bytes: Buffer.alloc(0), how: 'reset' });
});

for (const fields of [[], ['Connection: close']]) {
  const kind = fields.length === 0 ? 'kept' : 'answered';
  test(`${kind} connections that clients from many addresses leave open shut nobody out`, async (t) => {
    const root = tempFolder(t);
    const file = randomFile(root, 'file', 1000);
    const node = await testNode(t, { root, maxConnections: 16 });
    const nothingOpen = watchDescriptors();
    const large = randomFile(root, 'large', 100_000);
    const slow = await connectFrom(t, node, '127.0.0.3');
    slow.pause();
    slow.write(requestOf([node.hop], '/large', fields));
    await node.event('completed', 0);
    const open: Socket[] = [];
    for (let round = 0; round < 60; round += 1) {
      const socket = await connectFrom(t, node, `127.0.1.${1 + (round % 20)}`);
      socket.write(requestOf([node.hop], '/file', fields));
      await once(socket, 'data');
      open.push(socket);
    }
    const honest = await connectFrom(t, node, '127.0.0.2');
    const ending = readToEnd(honest);
    honest.write(requestOf([node.hop], '/file'));
    const { bytes, how } = await ending;
    assert.equal(how, 'end');
    assert.deepEqual(bytes.subarray(-file.length), file);
    const rest = await readToEnd(slow);
    assert.equal(rest.how, 'end', 'what the kernel held was lost');
    assert.deepEqual(rest.bytes.subarray(-large.length), large);
    for (const socket of [...open, honest, slow]) socket.destroy();
    await nothingOpen();
  });
}

test('a kept connection gives way with FIN, after all that was sent on it', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 100_000);
  const node = await testNode(t, { root, maxConnections: 1 });
  const kept = await rawConnect(t, node.hop);
  kept.pause();
  kept.write(requestOf([node.hop], '/file', []));
  await node.event('completed', 0);
  const next = await exchange(t, node.hop, requestOf([node.hop], '/file'));
  assert.equal(next.how, 'end');
  const { bytes, how } = await readToEnd(kept);
  assert.equal(how, 'end');
  assert.deepEqual(bytes.subarray(-file.length), file);
});

test('a client of a full node, and of one behind a relay, is told that the node may be full', async (t) => {
  const root = tempFolder(t);
  sparseFile(root, 'large', 2 ** 30);
  const full = await testNode(t, { root, maxConnections: 1 });
  const relay = await testNode(t);
  const holder = await servedClient(t, full);
  await full.event('serving', 0);
  const mayBeFull = /it may have reached its limit of connections \(--max-connections\)/;
  for (const route of [[full.hop], [relay.hop, full.hop]]) {
    await assert.rejects(request({ route, path: '/x' }), (error) => {
      assert.ok(error instanceof ViaductError);
      // As a hint where the reset came only when TLS had begun.
      assert.match(`${error.message} ${error.hint}`, mayBeFull);
      assert.equal(error.hopNumber, route.length);
      return true;
    });
  }
  assert.match((await fetchFailure('x', [full.hop])).message, /limit of connections \(--max-connections\)/);
  holder.destroy();
});
