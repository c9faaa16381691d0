import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, describe, test } from 'node:test';
import { OFFLOAD_BYTES } from '#src/defaults.js';
import { OFFLOAD_DEATHS } from '#src/pump/splice/offload.js';
import type { HostHop } from 'viaduct';
import { withoutCalls } from '../support/calls.js';
import { messageOf } from '../support/fetch.js';
import { watchAllDescriptors } from '../support/leaks.js';
import { flowsLent, lentFlows } from '../support/lent-flows.js';
import { NodeProcess } from '../support/processes.js';
import { rawConnect, rawServer, readToEnd } from '../support/raw.js';

/** A relay whose splice workers break at SIGUSR2. */
function startRelay(t: TestContext, fault: 'kill' | 'throw'): Promise<NodeProcess> {
  const hook = new URL(`../support/splice-fault.js?${fault}`, import.meta.url).href;
  return NodeProcess.start(t, { nodeArgs: ['--import', hook], args: ['--pump', 'splice'] });
}

/** A next hop whose reply never ends. */
async function endlessHop(t: TestContext): Promise<HostHop> {
  const chunk = Buffer.alloc(2 ** 18);
  const { hop } = await rawServer(t, (socket) => {
    socket.resume();
    const more = (): void => void socket.write(chunk, (error) => error ?? more());
    more();
  });
  return hop;
}

/** A client of the relay that has got so much that its flow is large, and reads on. */
async function largeFlow(t: TestContext, relay: NodeProcess, hop: HostHop): Promise<Socket> {
  const client = await rawConnect(t, relay.hop);
  client.write(messageOf('x', [hop]));
  for (let bytes = 0; bytes < 32 * OFFLOAD_BYTES;) {
    bytes += ((await once(client, 'data')) as [Buffer])[0].length;
  }
  return client;
}

/** Waits until a new large flow is in a worker's hands: one that comes while a worker starts stays with Node. */
async function lentFlow(t: TestContext, relay: NodeProcess, hop: HostHop): Promise<Socket> {
  const client = await largeFlow(t, relay, hop);
  client.resume();
  await flowsLent(relay.pid, 1);
  return client;
}

function deaths({ log }: NodeProcess) {
  return log.filter(({ msg }) => msg.startsWith('a splice worker died'));
}

function failures({ log }: NodeProcess) {
  return log.filter(({ code }) => code !== undefined);
}

describe('a splice worker that breaks', { skip: withoutCalls }, () => {
  test('killed: its flows are reset and told, nothing stays open, and the next large flow has a fresh one', async (t) => {
    const [relay, hop] = await Promise.all([startRelay(t, 'kill'), endlessHop(t)]);
    const released = watchAllDescriptors(relay.pid);
    for (let round = 1; round < OFFLOAD_DEATHS; round += 1) {
      const client = await lentFlow(t, relay, hop);
      const ending = readToEnd(client);
      relay.process.kill('SIGUSR2');
      assert.equal((await ending).how, 'reset');
      await relay.until(() => deaths(relay).length === round && failures(relay).length === round);
      await released();
    }
    assert.match(String(deaths(relay)[0]?.['cause']), /splice worker ended/);
    for (const { code, msg } of failures(relay)) {
      assert.equal(code, 'INTERNAL');
      assert.match(msg, /the thread that moved the bytes died/);
    }
  });

  test('throwing: all its flows are reset, the reason stands in the log, and the next large flow has a fresh one', async (t) => {
    const [relay, hop] = await Promise.all([startRelay(t, 'throw'), endlessHop(t)]);
    const first = readToEnd(await lentFlow(t, relay, hop));
    relay.process.kill('SIGUSR2');
    await relay.until(({ log }) => log.some(({ msg }) => msg === 'fault'));
    // The worker throws when it is given this one.
    const client = await rawConnect(t, relay.hop);
    const second = readToEnd(client);
    client.write(messageOf('x', [hop]));
    assert.deepEqual([(await first).how, (await second).how], ['reset', 'reset']);
    await relay.until(() => deaths(relay).length === 1 && failures(relay).length === 2);
    assert.match(String(deaths(relay)[0]?.['cause']), /null/);
    assert.deepEqual(
      failures(relay).map(({ code }) => code),
      ['INTERNAL', 'INTERNAL'],
    );
    await lentFlow(t, relay, hop);
  });

  test('too often in a row: the node goes on with the portable pump', async (t) => {
    const [relay, hop] = await Promise.all([startRelay(t, 'kill'), endlessHop(t)]);
    for (let round = 1; round <= OFFLOAD_DEATHS; round += 1) {
      const ending = readToEnd(await lentFlow(t, relay, hop));
      relay.process.kill('SIGUSR2');
      assert.equal((await ending).how, 'reset');
      await relay.until(() => deaths(relay).length === round);
    }
    const client = await largeFlow(t, relay, hop);
    assert.equal(lentFlows(relay.pid), 0);
    client.resetAndDestroy();
    await relay.until(() => failures(relay).at(-1)?.['code'] === 'CLIENT_GONE');
    assert.equal(deaths(relay).length, OFFLOAD_DEATHS);
  });
});
