import assert from 'node:assert/strict';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { type TestContext, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { request } from '#src/client/http/request.js';
import { parseReply, requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { connectProxy, proxyAt } from '../support/proxies.js';
import { exchange, rawServer } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { WIRES } from '../support/wires.js';

/** All names have two addresses, in the order in which they are dialled. */
const [first, second] = ['127.0.0.1', '127.0.0.2'];
Object.assign(dns.promises, {
  lookup: async () => [first, second].map((address) => ({ address, family: 4 })),
});
syncBuiltinESMExports();

const TIMES = { headPerHopMs: 600 };
const LIMITS = { timeoutMs: 600 };

/** A name at a port where the first address accepts and stays silent, and the second one is a node with a file. */
async function halfSilent(t: TestContext): Promise<{ readonly hop: HostHop; readonly file: Buffer }> {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 1000);
  const silent = await rawServer(t, (socket) => socket.resume(), { host: first, port: 0 });
  await testNode(t, { root, host: second, port: silent.hop.port });
  return { hop: { host: 'two.example', port: silent.hop.port }, file };
}

test('a relay passes over an address that accepts and stays silent', async (t) => {
  const { hop, file } = await halfSilent(t);
  const relay = await testNode(t, LIMITS, TIMES);
  const nothingOpen = watchDescriptors();
  const { bytes } = await exchange(t, relay.hop, requestOf([relay.hop, hop], '/file'));
  const { status, body } = parseReply(bytes);
  assert.deepEqual([status, body], [200, file]);
  await nothingOpen();
});

test('a relay does so over a proxy too', async (t) => {
  const { hop, file } = await halfSilent(t);
  const proxy = await connectProxy(t);
  const relay = await testNode(t, { ...LIMITS, proxy: proxyAt(proxy.hop) }, TIMES);
  const { bytes } = await exchange(t, relay.hop, requestOf([relay.hop, hop], '/file'));
  const { status, body } = parseReply(bytes);
  assert.deepEqual([status, body], [200, file]);
  assert.deepEqual(
    proxy.targets,
    [first, second].map((host) => `${host}:${hop.port}`),
  );
});

for (const wire of WIRES)
  test(`a client does so too, ${wire.name}`, async (t) => {
    const { hop, file } = await halfSilent(t);
    const nothingOpen = watchDescriptors();
    const reply = await request({ route: [hop], path: '/file' }, { ...wire.options, ...LIMITS });
    assert.deepEqual(await reply.bytes(10_000, 10_000), file);
    await nothingOpen();
  });

test('a name whose addresses are all silent is a timeout, and leaves nothing behind', async (t) => {
  const silent = await rawServer(t, (socket) => socket.resume(), { host: first, port: 0 });
  const { port } = silent.hop;
  let tried = 0;
  const other = await rawServer(
    t,
    (socket) => {
      socket.resume();
      tried += 1;
    },
    {
      host: second,
      port,
    },
  );
  const relay = await testNode(t, LIMITS, TIMES);
  const nothingOpen = watchDescriptors();
  const { bytes } = await exchange(
    t,
    relay.hop,
    requestOf([relay.hop, { host: 'two.example', port }], '/file'),
  );
  assert.equal(parseReply(bytes).status, 504);
  assert.equal(tried, 1, 'the other address was not tried, or more than once');
  for (const socket of [...silent.sockets, ...other.sockets]) socket.destroy();
  await nothingOpen();
});
