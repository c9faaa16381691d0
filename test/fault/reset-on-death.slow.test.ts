import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { withoutCalls } from '../support/calls.js';
import { messageOf } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { NodeProcess } from '../support/processes.js';
import { rawConnect, rawServer, readToEnd } from '../support/raw.js';
import { randomFile, sparseFile, tempFolder } from '../support/temp.js';

/** Nobody's own limit ends a transfer. */
const PATIENT = ['--timeout', '3600', '--stall-timeout', '3600'];

/** What a relay has dialled resets at its death 0.1 s later (`src/tcp/reset-on-death.ts`): ten times that, for a busy machine. */
const ARMED_MS = 1000;

/** A relay process between a raw client and a raw origin, which has sent one byte. */
async function idleTransfer(t: TestContext) {
  const relay = await NodeProcess.start(t, { args: PATIENT });
  const { hop, server } = await rawServer(t, () => {});
  const nothingOpen = watchDescriptors();
  const connected = once(server, 'connection') as Promise<[Socket]>;
  const client = await rawConnect(t, relay.hop);
  client.write(messageOf('x', [hop]));
  const [origin] = await connected;
  await once(origin, 'data');
  const originEnding = readToEnd(origin);
  origin.write('x');
  await once(client, 'data');
  const clientEnding = readToEnd(client);
  return { relay, origin, originEnding, clientEnding, nothingOpen };
}

test(
  'a relay that is killed while nothing moves and nothing is unread resets both neighbours',
  { skip: withoutCalls },
  async (t) => {
    const { relay, originEnding, clientEnding, nothingOpen } = await idleTransfer(t);
    await delay(ARMED_MS);
    relay.process.kill('SIGKILL');
    assert.equal((await clientEnding).how, 'reset');
    assert.equal((await originEnding).how, 'reset');
    await nothingOpen();
  },
);

test(
  'a relay that is killed after the origin has finished and before it has passed that on resets its client',
  { skip: withoutCalls },
  async (t) => {
    const { relay, origin, originEnding, clientEnding, nothingOpen } = await idleTransfer(t);
    await delay(ARMED_MS);
    relay.process.kill('SIGSTOP');
    origin.end('the rest');
    await once(origin, 'finish');
    relay.process.kill('SIGKILL');
    assert.equal((await clientEnding).how, 'reset');
    assert.equal((await originEnding).how, 'reset');
    await nothingOpen();
  },
);

test('an origin that is killed in mid-body resets its client', { skip: withoutCalls }, async (t) => {
  const root = tempFolder(t);
  sparseFile(root, 'large', 2 ** 30);
  const origin = await NodeProcess.start(t, { root, args: PATIENT });
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, origin.hop);
  client.write(messageOf('large', []));
  await once(client, 'readable');
  origin.process.kill('SIGKILL');
  await origin.ended;
  assert.equal((await readToEnd(client)).how, 'reset');
  await nothingOpen();
});

test('a node that is killed after it has completed takes nothing back', async (t) => {
  const root = tempFolder(t);
  // What the buffers of one connection take, so that the node is done before the first read.
  const file = randomFile(root, 'file', 400_000);
  const origin = await NodeProcess.start(t, { root, args: PATIENT });
  const relay = await NodeProcess.start(t, { args: PATIENT });
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, relay.hop);
  client.pause();
  client.write(messageOf('file', [origin.hop]));
  await relay.until(({ lines }) => lines.includes('file sending in thread 0 completed'));
  relay.process.kill('SIGKILL');
  origin.process.kill('SIGKILL');
  await relay.ended;
  const { bytes, how } = await readToEnd(client);
  assert.equal(how, 'end');
  assert.ok(bytes.equals(file));
  client.destroy();
  await nothingOpen();
});
