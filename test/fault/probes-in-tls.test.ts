import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { type HostHop, get, traceRoute } from 'viaduct';
import { makeIdentity } from '#src/identity/certificate.js';
import { failureOf } from '../support/failures.js';
import { IDENTITY, PIN, trusting } from '../support/identity.js';
import { testNode } from '../support/nodes.js';
import { randomFile, tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;

/**
 * Stands before a first hop. The first connection passes and freezes after some bytes; all others end here, in TLS with
 * another key. What came in them is kept.
 */
async function impostorAfter(t: { after(act: () => void): void }, hop: HostHop, bytes: number) {
  const got: string[] = [];
  const other = makeIdentity();
  let count = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    count += 1;
    if (count > 1) {
      const tls = new TLSSocket(socket, { isServer: true, ...other });
      tls.on('error', () => {});
      tls.on('data', (data: Buffer) => got.push(data.toString('latin1')));
      return;
    }
    const upstream = connect(hop);
    upstream.on('error', () => {});
    t.after(() => upstream.destroy());
    socket.pipe(upstream);
    let passed = 0;
    upstream.on('data', (data: Buffer) => {
      passed += data.length;
      if (passed <= bytes) socket.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { hop: { host: '127.0.0.1', port }, got, connections: () => count };
}

test('with https:// who freezes the transfer learns nothing from the probes: the first hop has to prove its key', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', 2 * MIB);
  const [relay, origin] = [await testNode(t, { root }), await testNode(t, { root })];
  const impostor = await impostorAfter(t, relay.hop, MIB / 2);
  const location = { route: [impostor.hop, origin.hop], path: '/file', scheme: 'https' } as const;
  const options = { encryption: trusting(PIN), retries: 0, timeoutMs: 3000 };
  const error = await failureOf(get(location, async () => {}, options));
  assert.equal(error.code, 'WRONG_PIN');
  assert.ok(impostor.connections() > 1, 'hops were probed');
  assert.deepEqual(impostor.got, []);
});

test('a client proves who it is to the last hop only, also when it traces the route', async (t) => {
  const root = tempFolder(t);
  const nodes = [
    await testNode(t, { root, askClients: true }),
    await testNode(t, { root, askClients: true }),
  ];
  const route = nodes.map(({ hop }) => hop);
  const { key, cert } = IDENTITY;
  const encryption = { checkKey: async (): Promise<void> => {}, identity: { key, cert } };
  await traceRoute(route, { encryption, probes: 1 });
  const [first, last] = nodes.map(({ events }) =>
    events.flatMap((event) => (event.type === 'secured' ? [event.clientPin] : [])),
  );
  assert.deepEqual([first, last], [[undefined], [PIN]]);
});
