import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatHop } from 'viaduct';
import { messageOf } from '../support/fetch.js';
import { requestOf } from '../support/http.js';
import { settles } from '../support/leaks.js';
import { type TestNode, testNode } from '../support/nodes.js';
import { type Ending, readToEnd } from '../support/raw.js';
import { randomFile, sparseFile, tempFolder } from '../support/temp.js';

const LIMIT = { timeout: 60_000 };

/** A connection from an address of its own, on which a request is sent. */
async function askFrom(
  t: TestContext,
  localAddress: string,
  hop: HostHop,
  request: string | Buffer,
): Promise<Socket> {
  const socket = connect({ ...hop, localAddress, allowHalfOpen: true });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(request);
  return socket;
}

async function honest(t: TestContext, [first, ...rest]: readonly HostHop[], path: string): Promise<Ending> {
  assert.ok(first);
  const socket = await askFrom(t, '127.0.0.2', first, requestOf([first, ...rest], path));
  return readToEnd(socket);
}

/** Waits until a node has dialled for so many connections, or has refused them. */
function allBegun({ events }: TestNode, count: number): Promise<void> {
  return settles(
    () => {
      const begun = events.filter(({ type }) => type === 'dialled' || type === 'failed');
      const ids = new Set(begun.map((event) => 'requestId' in event && event.requestId));
      return ids.size + events.filter(({ type }) => type === 'refused').length;
    },
    (begun) => begun >= count,
    (begun) => `${begun} have begun`,
  );
}

/** Small nodes in a row: the last one is the origin. */
async function relays(t: TestContext, root: string, count: number) {
  const nodes = await Promise.all(
    Array.from({ length: count }, () => testNode(t, { root, maxConnections: 128 })),
  );
  return { nodes, route: nodes.map(({ hop }) => hop) };
}

for (const count of [2, 3]) {
  test(`a client that reads nothing through ${count - 1} relays leaves others of the relay their connections`, async (t) => {
    const root = tempFolder(t);
    const file = randomFile(root, 'file', 1000);
    sparseFile(root, 'large', 2 ** 30);
    const { nodes, route } = await relays(t, root, count);
    const [first] = route;
    assert.ok(first && nodes[0]);
    const replies: Socket[] = [];
    for (let number = 0; number < 130; number += 1) {
      const socket = await askFrom(t, '127.0.0.3', first, requestOf(route, '/large'));
      replies.push(socket);
    }
    await allBegun(nodes[0], 130);
    const { bytes, how } = await honest(t, route, '/file');
    assert.equal(how, 'end');
    assert.deepEqual(bytes.subarray(-file.length), file, bytes.toString('latin1').slice(0, 500));
    const [refused] = await once(replies[60] ?? assert.fail(), 'data');
    assert.match(String(refused), /^HTTP\/1\.1 503 [^]*"code":"UNAVAILABLE","hop":1\}/);
  });
}

test('on the classic wire a client with too many is reset', async (t) => {
  const root = tempFolder(t);
  sparseFile(root, 'large', 2 ** 30);
  const { nodes, route } = await relays(t, root, 2);
  const [first, ...rest] = route;
  assert.ok(first && nodes[0]);
  const message = messageOf('large', rest);
  for (let number = 0; number < 32; number += 1) {
    await askFrom(t, '127.0.0.3', first, message);
    await nodes[0].event('dialled', number);
  }
  const more = await askFrom(t, '127.0.0.3', first, message);
  assert.deepEqual(await readToEnd(more), { bytes: Buffer.alloc(0), how: 'reset' });
  const { error } = await nodes[0].event('failed', 32);
  assert.equal(error.code, 'UNAVAILABLE');
});

test('a client that reads no listings through a relay leaves others of the relay theirs', async (t) => {
  const root = tempFolder(t);
  mkdirSync(join(root, 'folder'));
  for (let number = 0; number < 8000; number += 1)
    writeFileSync(join(root, 'folder', `${'name '.repeat(20)}${number}`), '');
  const origin = await testNode(t, { root });
  const relay = await testNode(t);
  const target = requestOf([relay.hop, origin.hop], '/folder/');
  for (let number = 0; number < 70; number += 1) {
    const socket = await askFrom(t, '127.0.0.3', relay.hop, target);
    socket.pause();
  }
  await allBegun(relay, 70);
  const { bytes } = await honest(t, [relay.hop, origin.hop], '/');
  assert.match(bytes.toString(), /^HTTP\/1\.1 200 /, `${formatHop(origin.hop)} refused`);
});

test(
  'a client that opens tunnels through a relay and asks for nothing leaves others of the relay theirs',
  LIMIT,
  async (t) => {
    const { nodes, route } = await relays(t, tempFolder(t), 2);
    const [first] = route;
    assert.ok(first && nodes[0]);
    const upgrade = requestOf(route, '/', ['Connection: Upgrade', 'Upgrade: viaduct']);
    for (let number = 0; number < 32; number += 1) {
      await askFrom(t, '127.0.0.3', first, upgrade);
      await nodes[0].event('dialled', number);
    }
    // While they are young.
    const [reply] = await once(await askFrom(t, '127.0.0.2', first, upgrade), 'data');
    assert.match(String(reply), /^HTTP\/1\.1 101 /);
  },
);
