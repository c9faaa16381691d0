import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BUFFER_MAX } from '#src/tcp/read-buffer.js';
import type { HostHop } from 'viaduct';
import { messageOf } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { NodeProcess } from '../support/processes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { sparseFile, tempFolder } from '../support/temp.js';

const CLIENTS = 200;
const GIB = 2 ** 30;
const STALL = ['--stall-timeout', '5', '--pause-timeout', '5'];
const PATIENT = ['--stall-timeout', '3600', '--timeout', '3600'];

/** Beside its buffers: sockets, streams, timers, and the read buffers it outgrew (16 + 64 KiB) until collected. */
const BESIDE = 128 * 1024;

/** Lines of a node's log that say how a transfer broke. */
function failures({ log }: NodeProcess) {
  return log.filter(({ code }) => code !== undefined);
}

/** Clients that take nothing until the node cuts them; returns how much the node's memory grew for each. */
async function growthPerClient(
  t: TestContext,
  node: NodeProcess,
  rest: readonly HostHop[],
  others: readonly NodeProcess[],
) {
  const stalled = async (count: number): Promise<void> => {
    const before = failures(node).length;
    const clients = await Promise.all(Array.from({ length: count }, () => rawConnect(t, node.hop)));
    for (const client of clients) client.pause().write(messageOf('large', rest));
    await node.until((seen) => failures(seen).length === before + count);
    for (const client of clients) assert.equal((await readToEnd(client)).how, 'reset');
  };
  await stalled(1);
  const released = watchDescriptors(node, ...others);
  const { resident } = node.memory;
  await stalled(CLIENTS);
  for (const { code } of failures(node)) assert.equal(code, 'STALLED');
  await released();
  return (node.memory.peak - resident) / CLIENTS;
}

test('200 clients that stop reading cost an origin two buffers each, and are cut', async (t) => {
  const root = tempFolder(t);
  sparseFile(root, 'large', GIB);
  const origin = await NodeProcess.start(t, { root, args: STALL });
  const growth = await growthPerClient(t, origin, [], []);
  t.diagnostic(`${Math.round(growth / 1024)} KiB for each client`);
  assert.ok(growth <= 2 * BUFFER_MAX + BESIDE, `${growth} bytes for each client`);
});

test('200 clients that stop reading cost a relay one buffer each, and are cut', async (t) => {
  const root = tempFolder(t);
  sparseFile(root, 'large', GIB);
  const origin = await NodeProcess.start(t, { root, args: PATIENT });
  const relay = await NodeProcess.start(t, { args: [...STALL, '--timeout', '3600'] });
  const growth = await growthPerClient(t, relay, [origin.hop], [origin]);
  t.diagnostic(`${Math.round(growth / 1024)} KiB for each client`);
  assert.ok(growth <= BUFFER_MAX + BESIDE, `${growth} bytes for each client`);
});
