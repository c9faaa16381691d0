import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { messageOf } from '../support/fetch.js';
import { requestOf, urlOf } from '../support/http.js';
import { settles, watchDescriptors } from '../support/leaks.js';
import { type TestNode, testChain } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { Child, processChain } from '../support/processes.js';
import { rawConnect, rawServer } from '../support/raw.js';
import { sparseFile, tempFolder } from '../support/temp.js';

const LONG_MS = 600_000;
/** More than any test moves before it breaks off. */
const ENDLESS = 2 ** 40;
const HOPS = 5;

async function allSawItGo(nodes: readonly TestNode[]): Promise<void> {
  for (const node of nodes) assert.equal((await node.event('failed')).error.code, 'CLIENT_GONE');
}

async function pouringChain(t: TestContext) {
  const root = tempFolder(t);
  sparseFile(root, 'endless', ENDLESS);
  const { nodes, route } = await testChain(t, HOPS, { root, timeoutMs: LONG_MS, stallTimeoutMs: LONG_MS });
  const [first] = route;
  assert.ok(first);
  return { nodes, route, first };
}

for (const manner of ['resetAndDestroy', 'destroy'] as const) {
  test(`a client that leaves in mid-body (${manner}) ends the whole chain`, async (t) => {
    const { nodes, route, first } = await pouringChain(t);
    const nothingOpen = watchDescriptors();
    const client = await rawConnect(t, first);
    client.write(requestOf(route, '/endless'));
    await once(client, 'data');
    client[manner]();
    await allSawItGo(nodes);
    await nothingOpen();
  });
}

test('a client that has sent FIN and leaves later ends the chain as well', async (t) => {
  const { nodes, route, first } = await pouringChain(t);
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, first);
  client.end(requestOf(route, '/endless'));
  for (let chunks = 0; chunks < 100; chunks += 1) await once(client, 'data');
  client.destroy();
  await allSawItGo(nodes);
  await nothingOpen();
});

test('a client that leaves before the reply ends the chain that waits for it', async (t) => {
  const { nodes, route } = await testChain(t, 4, { timeoutMs: LONG_MS });
  const { hop: silent, server } = await rawServer(t, (socket) => void socket.resume());
  const asked = once(server, 'connection');
  const nothingOpen = watchDescriptors();
  const [first] = route;
  assert.ok(first);
  const client = await rawConnect(t, first);
  client.write(requestOf([...route, silent], '/x'));
  const [socket] = await asked;
  const reset = once(socket, 'error');
  client.resetAndDestroy();
  await allSawItGo(nodes);
  assert.match(String(await reset), /ECONNRESET/);
  await nothingOpen();
});

test('a client that leaves a half-sent head, or a kept connection, leaves nothing behind', async (t) => {
  const { nodes, first } = await pouringChain(t);
  const nothingOpen = watchDescriptors();
  const half = await rawConnect(t, first);
  half.write('GET /endless HTTP/1.1\r\nHost');
  await nodes[0]?.event('accepted', 0);
  half.resetAndDestroy();
  assert.equal((await nodes[0]?.event('failed', 0))?.error.code, 'CLIENT_GONE');
  for (const manner of ['resetAndDestroy', 'destroy', 'end'] as const) {
    const kept = await rawConnect(t, first);
    kept.write(requestOf([first], '/.viaduct/status', []));
    await once(kept, 'data');
    kept[manner]();
  }
  await nothingOpen();
  const failed = nodes.flatMap(({ events }) => events.filter(({ type }) => type === 'failed'));
  assert.equal(failed.length, 1, 'leaving a kept connection is no failure');
});

/** Bytes that a process has read from files and sockets (proc(5)). */
function readBytes(pid: number): number {
  return Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

test('a curl that is killed stops the origin from reading, in processes', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const root = tempFolder(t);
  sparseFile(root, 'endless', ENDLESS);
  const { nodes, route } = await processChain(t, HOPS, { root });
  const origin = nodes.at(-1);
  assert.ok(origin);
  const released = watchDescriptors(...nodes);
  for (const wire of ['http', 'classic']) {
    const begun = readBytes(origin.pid);
    if (wire === 'http') {
      const client = new Child(t, 'curl', ['-q', '-sS', '-o', '/dev/null', urlOf(route, '/endless')]);
      await settles(
        () => readBytes(origin.pid),
        (now) => now > begun + 1e8,
        (now) => `it has read ${now} bytes`,
      );
      client.process.kill('SIGKILL');
      await client.ended;
    } else {
      const [first, ...rest] = route;
      assert.ok(first);
      const client = await rawConnect(t, first);
      client.write(messageOf('endless', rest));
      await once(client, 'data');
      client.destroy();
    }
    await origin.until(
      ({ log }) => log.filter(({ code }) => code === 'CLIENT_GONE').length > Number(wire !== 'http'),
    );
    // Its file too, so that it reads no more.
    await released();
  }
});
