import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { SELF_DIAL_MS, SelfDials } from '#src/node/access/self-dials.js';
import { TcpStream } from '#src/tcp/stream.js';
import { serveConnection } from '#src/node/serve-connection.js';
import { listen } from '#src/tcp/listen.js';
import type { AddressClass } from '#src/node/access/address.js';
import { Connection } from '#src/node/connection.js';
import { Policy } from '#src/node/access/policy.js';
import { VIEW } from '../../../support/addresses.js';
import { testContext } from '../../../support/context.js';
import { closed, dialledPair } from '../../../support/streams.js';
import { exchange } from '../../../support/raw.js';
import { randomFile, tempFolder } from '../../../support/temp.js';

test('a connection that the node made to itself has the class of its real client', async (t) => {
  const dials = new SelfDials();
  const { stream, peer } = await dialledPair(t);
  const from = { host: peer.remoteAddress ?? '', port: peer.remotePort ?? 0 };
  assert.equal(dials.classOf(from), undefined);
  dials.add(stream, 'public');
  assert.equal(dials.classOf(from), 'public');
  assert.equal(dials.classOf({ ...from, port: from.port ^ 1 }), undefined);
  assert.equal(dials.classOf({ ...from, host: '127.0.0.2' }), undefined);
});

test('it is forgotten 5 s after the connection is closed, since its port may come again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const dials = new SelfDials();
  const { stream, peer } = await dialledPair(t);
  const from = { host: peer.remoteAddress ?? '', port: peer.remotePort ?? 0 };
  dials.add(stream, 'private');
  stream.reset();
  await closed(stream);
  t.mock.timers.tick(SELF_DIAL_MS - 1);
  assert.equal(dials.classOf(from), 'private');
  t.mock.timers.tick(1);
  assert.equal(dials.classOf(from), undefined);
});

// The second dial would count as one from loopback, and so lead inward.
test('a dial from a port that has come again is not forgotten with the one before', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const dials = new SelfDials();
  const { stream, peer } = await dialledPair(t);
  const from = { host: peer.remoteAddress ?? '', port: peer.remotePort ?? 0 };
  dials.add(stream, 'private');
  stream.reset();
  await closed(stream);
  const again = await dialledPair(t);
  Object.defineProperty(again.stream, 'local', { value: stream.local });
  dials.add(again.stream, 'public');
  t.mock.timers.tick(SELF_DIAL_MS);
  assert.equal(dials.classOf(from), 'public');
});

/** Sees every client as public, which it then must not be asked again, and permits everything. */
class RecordingPolicy extends Policy {
  readonly judged: string[] = [];
  readonly permitted: AddressClass[] = [];

  override classOf(clientAddress: string): AddressClass {
    this.judged.push(clientAddress);
    return 'public';
  }

  override check(client: AddressClass): void {
    this.permitted.push(client);
  }
}

test('a detour through the node itself leads no further inward', async (t) => {
  const folder = tempFolder(t);
  const bytes = randomFile(folder, 'file', 10);
  const { server, address } = await listen({ host: '127.0.0.1', port: 0, backlog: 5 });
  t.after(() => server.close());
  const policy = new RecordingPolicy({
    allowHops: [],
    clients: 'observed',
    view: () => VIEW,
    ownPort: address.port,
  });
  const node = await testContext(folder, policy, address.port);
  server.on('connection', (socket: Socket) => {
    void serveConnection(new Connection(node, TcpStream.over(socket)));
  });
  const self = `127.0.0.1 ${address.port}\n`;
  const got = await exchange(t, { host: '127.0.0.1', port: address.port }, `file\n${self}${self}${self}\n`);
  assert.deepEqual(got.bytes, bytes);
  assert.deepEqual(policy.judged, ['127.0.0.1']);
  assert.deepEqual(policy.permitted, ['public', 'public', 'public']);
});
