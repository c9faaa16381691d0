import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { sparseFile, tempFolder } from '../support/temp.js';

const STALL_MS = 500;
const LONG_MS = 600_000;
/** Shorter than the stall limit: silence must not count while the reader keeps us from reading. */
const SILENCE_MS = 200;

test('an origin cuts a reader that takes nothing', async (t) => {
  const root = tempFolder(t);
  sparseFile(root, 'large', 2 ** 30);
  const origin = await testNode(t, { root, stallTimeoutMs: STALL_MS });
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, origin.hop);
  client.pause();
  client.write(messageOf('large', []));
  const { error } = await origin.event('failed');
  assert.equal(error.code, 'STALLED');
  assert.equal((await readToEnd(client)).how, 'reset');
  await nothingOpen();
});

test('a relay cuts a reader that takes nothing, and does not blame its next hop', async (t) => {
  const root = tempFolder(t);
  sparseFile(root, 'large', 2 ** 30);
  const origin = await testNode(t, { root, stallTimeoutMs: LONG_MS });
  const relay = await testNode(t, { stallTimeoutMs: STALL_MS, timeoutMs: SILENCE_MS });
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, relay.hop);
  client.pause();
  client.write(messageOf('large', [origin.hop]));
  const { error } = await relay.event('failed');
  assert.equal(error.code, 'STALLED');
  assert.equal(error.hopAddress, undefined);
  assert.equal((await origin.event('failed')).error.code, 'CLIENT_GONE');
  assert.equal((await readToEnd(client)).how, 'reset');
  await nothingOpen();
});
