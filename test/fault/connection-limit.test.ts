import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { type ErrorCode, ViaductError } from 'viaduct';
import { request } from '#src/client/http/request.js';
import { fetchBytes, fetchFailure } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';

/** The reset can be there before the dialling side knows that it is connected. */
const RESET: ReadonlySet<ErrorCode> = new Set(['CUT_SHORT', 'REFUSED']);

test('a connection above the limit is reset at once, takes no number, and the next one is served', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 1000);
  const node = await testNode(t, { root, maxConnections: 2 });
  const nothingOpen = watchDescriptors();
  const first = await rawConnect(t, node.hop);
  const second = await rawConnect(t, node.hop);
  await node.event('accepted', 1);

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
  const full = await testNode(t, { maxConnections: 1 });
  const relay = await testNode(t);
  const nothingOpen = watchDescriptors();
  const holder = await rawConnect(t, full.hop);
  await full.event('accepted', 0);
  assert.equal((await fetchFailure('x', [relay.hop, full.hop])).code, 'CUT_SHORT');
  assert.ok(RESET.has((await relay.event('failed')).error.code));
  holder.destroy();
  await nothingOpen();
});

test('a client of a full node, and of one behind a relay, is told that the node may be full', async (t) => {
  const full = await testNode(t, { maxConnections: 1 });
  const relay = await testNode(t);
  const holder = await rawConnect(t, full.hop);
  await full.event('accepted', 0);
  const mayBeFull =
    /reset the connection .*: it may have reached its limit of connections \(--max-connections\)/;
  for (const route of [[full.hop], [relay.hop, full.hop]]) {
    await assert.rejects(request({ route, path: '/x' }), (error) => {
      assert.ok(error instanceof ViaductError);
      assert.match(error.message, mayBeFull);
      assert.equal(error.hopNumber, route.length);
      return true;
    });
  }
  assert.match((await fetchFailure('x', [full.hop])).message, /limit of connections \(--max-connections\)/);
  holder.destroy();
});
