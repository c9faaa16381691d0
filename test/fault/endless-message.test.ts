import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { rawConnect, readToEnd } from '../support/raw.js';

/** Longer than a drip, so that quiet never ends the message. */
const LIMIT_MS = 400;
const DRIP_MS = 20;

test('a message that drips on for ever is cut at the limit of a whole message', async (t) => {
  const node = await testNode(t, { timeoutMs: LIMIT_MS });
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, node.hop);
  const drip = setInterval(() => client.write('x'), DRIP_MS);
  t.after(() => clearInterval(drip));
  const { how } = await readToEnd(client);
  clearInterval(drip);
  assert.equal(how, 'reset');
  const { error } = await node.event('failed');
  assert.equal(error.code, 'MESSAGE_TIMEOUT');
  assert.match(error.message, /not whole within 0\.4 s \(\d+ bytes had come\)/);
  await nothingOpen();
});

test('a client that says nothing is cut at the same limit', async (t) => {
  const node = await testNode(t, { timeoutMs: LIMIT_MS });
  const nothingOpen = watchDescriptors();
  const { how } = await readToEnd(await rawConnect(t, node.hop));
  assert.equal(how, 'reset');
  assert.equal((await node.event('failed')).error.code, 'MESSAGE_TIMEOUT');
  await nothingOpen();
});

test('a client that leaves in the middle of its message', async (t) => {
  const node = await testNode(t);
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, node.hop);
  client.write('half a na');
  await node.event('accepted');
  client.resetAndDestroy();
  assert.equal((await node.event('failed')).error.code, 'CLIENT_GONE');
  await nothingOpen();
});
