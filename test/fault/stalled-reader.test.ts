import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { HostHop } from 'viaduct';
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
  const origin = await testNode(t, { root, stallTimeoutMs: STALL_MS, pauseTimeoutMs: STALL_MS });
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
  const relay = await testNode(t, {
    stallTimeoutMs: STALL_MS,
    pauseTimeoutMs: STALL_MS,
    timeoutMs: SILENCE_MS,
  });
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

for (const role of ['origin', 'relay'] as const) {
  test(`the ${role} keeps a reader that pauses while there is room, and cuts it when half of the connections are in use`, async (t) => {
    const root = tempFolder(t);
    sparseFile(root, 'large', 2 ** 30);
    const limits = { root, stallTimeoutMs: STALL_MS, maxConnections: 4 };
    const patient = await testNode(t, { ...limits, pauseTimeoutMs: LONG_MS });
    const strict = await testNode(t, { ...limits, pauseTimeoutMs: STALL_MS });
    const origin = await testNode(t, { root });
    const nothingOpen = watchDescriptors();
    const message = messageOf('large', role === 'relay' ? [origin.hop] : []);
    const pausedClient = async (hop: HostHop): Promise<Socket> => {
      const client = await rawConnect(t, hop);
      client.pause();
      client.write(message);
      return client;
    };
    const kept = await pausedClient(patient.hop);
    await patient.event(role === 'relay' ? 'dialled' : 'serving', 0);
    const cut = await pausedClient(strict.hop);
    await strict.event('failed', 0);
    assert.ok(!patient.events.some(({ type }) => type === 'failed'));

    const second = await pausedClient(patient.hop);
    const { error } = await patient.event('failed', 0);
    assert.equal(error.code, 'STALLED');
    assert.match(error.message, /took nothing for 0\.5 s, and half of the connections are in use/);
    for (const client of [kept, cut, second]) client.destroy();
    await nothingOpen();
  });
}
