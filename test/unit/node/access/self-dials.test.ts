import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { SELF_DIAL_MS, SelfDials } from '#src/node/access/self-dials.js';
import { Channel } from '#src/tcp/stream.js';
import { listen } from '#src/tcp/listen.js';
import { portablePump } from '#src/pump/socket-pump.js';
import { Resolver } from '#src/tcp/resolver.js';
import type { AddressClass } from '#src/node/access/address.js';
import { Connection } from '#src/node/connection.js';
import type { NodeContext } from '#src/node/context.js';
import { Digests } from '#src/node/origin/digests.js';
import { Policy } from '#src/node/access/policy.js';
import { Root } from '#src/node/origin/root.js';
import { VIEW } from '../../../support/addresses.js';
import { closed, dialledPair } from '../../../support/channels.js';
import { exchange } from '../../../support/raw.js';
import { randomFile, tempFolder } from '../../../support/temp.js';

test('a connection that the node made to itself has the class of its real client', async (t) => {
  const dials = new SelfDials();
  const { channel, peer } = await dialledPair(t);
  const from = { host: peer.remoteAddress ?? '', port: peer.remotePort ?? 0 };
  assert.equal(dials.classOf(from), undefined);
  dials.add(channel.socket, 'public');
  assert.equal(dials.classOf(from), 'public');
  assert.equal(dials.classOf({ ...from, port: from.port ^ 1 }), undefined);
  assert.equal(dials.classOf({ ...from, host: '127.0.0.2' }), undefined);
});

test('it is forgotten 5 s after the connection is closed, since its port may come again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const dials = new SelfDials();
  const { channel, peer } = await dialledPair(t);
  const from = { host: peer.remoteAddress ?? '', port: peer.remotePort ?? 0 };
  dials.add(channel.socket, 'private');
  channel.reset();
  await closed(channel.socket);
  t.mock.timers.tick(SELF_DIAL_MS - 1);
  assert.equal(dials.classOf(from), 'private');
  t.mock.timers.tick(1);
  assert.equal(dials.classOf(from), undefined);
});

// The second dial would count as one from loopback, and so lead inward.
test('a dial from a port that has come again is not forgotten with the one before', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const dials = new SelfDials();
  const { channel, peer } = await dialledPair(t);
  const from = { host: peer.remoteAddress ?? '', port: peer.remotePort ?? 0 };
  dials.add(channel.socket, 'private');
  const { localAddress, localPort } = channel.socket;
  channel.reset();
  await closed(channel.socket);
  const again = await dialledPair(t);
  Object.defineProperties(again.channel.socket, {
    localAddress: { value: localAddress },
    localPort: { value: localPort },
  });
  dials.add(again.channel.socket, 'public');
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
  const node: NodeContext = {
    root: await Root.at(folder, false),
    policy,
    resolver: new Resolver(),
    selfDials: new SelfDials(),
    pump: portablePump,
    digests: new Digests(),
    maxHops: 16,
    maxConnections: 100,
    startedAt: 0,
    totals: { accepted: 0, completed: 0, failed: 0, bytes: 0 },
    stopping: () => false,
    open: () => 0,
    silenceMs: 10_000,
    connectMs: 10_000,
    stallMs: 10_000,
    emit: () => {},
  };
  server.on('connection', (socket: Socket) => {
    void new Connection(node, Channel.accepted(socket)).serve();
  });
  const self = `127.0.0.1 ${address.port}\n`;
  const got = await exchange(t, { host: '127.0.0.1', port: address.port }, `file\n${self}${self}${self}\n`);
  assert.deepEqual(got.bytes, bytes);
  assert.deepEqual(policy.judged, ['127.0.0.1']);
  assert.deepEqual(policy.permitted, ['public', 'public', 'public']);
});
