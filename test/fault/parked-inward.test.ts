import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type TestContext, suite, test } from 'node:test';
import { type HostHop, type NodeOptions, type Route, formatHop, get, listFolder } from 'viaduct';
import { STATUS_NAME } from '#src/route/url.js';
import { failureOf } from '../support/failures.js';
import { fetchBytes, fetchFailure, messageOf } from '../support/fetch.js';
import { parseReply, problemOf, requestOf } from '../support/http.js';
import { tunnelOf } from '../support/idle-tunnel.js';
import { TRUSTED } from '../support/identity.js';
import { testNode } from '../support/nodes.js';
import { parkedChain, parkedNode } from '../support/parking.js';
import { exchange, lonelyServer } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { testIdentity } from '../support/tunnels.js';

/** Addresses of the parked node's own host, and of networks like those that it may stand in. */
function insideAddresses(): string[] {
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ scopeid }) => !scopeid).map(({ address }) => address),
  );
  return [
    ...new Set([
      '127.0.0.1',
      '127.1.2.3',
      '::1',
      'localhost',
      ...own,
      '10.0.0.1',
      '192.168.1.1',
      '172.16.0.1',
    ]),
  ];
}

async function ask(t: TestContext, route: Route, fields: readonly string[] = []) {
  const [first] = route;
  assert.ok(first && 'host' in first);
  const request = requestOf(route, '/file', ['Connection: close', ...fields]);
  return parseReply((await exchange(t, first, request)).bytes);
}

// All clients here are on the loopback of the relay, which would relay inward for them itself.
suite('through a parked node nobody gets further into its network', () => {
  test('over HTTP, also with claims', async (t) => {
    const { route } = await parkedChain(t);
    for (const host of insideAddresses())
      for (const claim of [[], ['Viaduct-Client: loopback'], ['Viaduct-Client: private']]) {
        const hop = { host, port: 12_000 };
        const reply = await ask(t, [...route, hop], claim);
        const { code, hop: number, address, detail } = problemOf(reply);
        assert.deepEqual(
          [reply.status, code, number, address],
          [403, 'PROHIBITED', 3, formatHop(hop)],
          formatHop(hop),
        );
        if (!/never dials/.test(detail))
          assert.match(detail, /address and the client a public one; --allow-hop/);
      }
  });

  test('over a tunnel, and inside one', async (t) => {
    const { route } = await parkedChain(t);
    const inside = await lonelyServer(t);
    const target = { route: [...route, inside.hop], path: '/file' };
    const error = await failureOf(get(target, join(tempFolder(t), 'file'), TRUSTED));
    assert.deepEqual([error.code, error.hopNumber], ['PROHIBITED', 3]);
    const tunnel = await tunnelOf(t, route);
    tunnel.socket.write(requestOf([route[0], inside.hop], '/file'));
    await tunnel.until(/HTTP\/1\.1 400 [^]*hops inside a tunnel are not relayed/);
    await inside.assertNotDialled();
  });

  test('over the classic wire, also with claims', async (t) => {
    const { relay, parked, route } = await parkedChain(t);
    const inside = await lonelyServer(t);
    assert.equal((await fetchFailure('file', [...route, inside.hop])).code, 'CUT_SHORT');
    const { error } = await parked.node.event('failed');
    assert.deepEqual([error.code, error.hopAddress], ['PROHIBITED', formatHop(inside.hop)]);
    const message = messageOf('file', [route[1], inside.hop]);
    for (const claim of ['loopback', 'private']) {
      const claimed = message.replaceAll(/ (\d+)\n/g, ` $1 ${claim}\n`);
      assert.notEqual(claimed, message);
      assert.equal((await exchange(t, relay.hop, claimed)).how, 'reset');
    }
    await inside.assertNotDialled();
  });

  test('to itself, at the port that it listens on', async (t) => {
    const root = tempFolder(t);
    const { route, parked } = await parkedChain(t, { node: { root, port: 0 } });
    const reply = await ask(t, [...route, parked.node.hop]);
    assert.deepEqual([reply.status, problemOf(reply).code], [403, 'PROHIBITED']);
  });

  test('its status calls each client a public one', async (t) => {
    const { relay, route } = await parkedChain(t);
    const classAt = async (hops: Route): Promise<unknown> => {
      const reply = await exchange(t, relay.hop, requestOf(hops, `/${STATUS_NAME}`));
      return JSON.parse(parseReply(reply.bytes).body.toString())['client'];
    };
    assert.deepEqual([await classAt([relay.hop]), await classAt(route)], ['loopback', 'public']);
  });

  test('a name of the parked node that leads inside does not say where', async (t) => {
    const { route } = await parkedChain(t);
    const { detail } = problemOf(await ask(t, [...route, { host: 'localhost', port: 12_000 }]));
    assert.doesNotMatch(detail, /127\.0\.0\.1|::1/);
  });
});

test('--allow-hop at the parked node opens what it names, and no more', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), 'inside');
  const [origin, other] = [await testNode(t, { root }), await lonelyServer(t)];
  const { route } = await parkedChain(t, { node: { allowHops: [formatHop(origin.hop)] } });
  assert.equal((await ask(t, [...route, origin.hop])).body.toString(), 'inside');
  assert.equal((await fetchBytes('file', [...route, origin.hop])).toString(), 'inside');
  const [entry] = await listFolder({ route: [...route, origin.hop], path: '/' }, TRUSTED);
  assert.equal(entry?.name, 'file');
  const reply = await ask(t, [...route, other.hop]);
  assert.match(problemOf(reply).detail, /no --allow-hop rule names it/);
  await other.assertNotDialled();
});

test('a rule at the relay opens nothing at the parked node', async (t) => {
  const inside = await lonelyServer(t);
  const { route } = await parkedChain(t, { relay: { allowHops: ['127.0.0.0/8'] } });
  assert.equal(problemOf(await ask(t, [...route, inside.hop])).code, 'PROHIBITED');
  await inside.assertNotDialled();
});

/** A relay with these options, and a node with a file that is parked there. */
function chain(t: TestContext, relay: Partial<NodeOptions>) {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), 'x');
  return parkedChain(t, { relay, node: { root } });
}

suite('--park-clients', () => {
  for (const [clients, allowed, refused] of [
    ['loopback', ['loopback'], ['private', 'public']],
    ['private', ['loopback', 'private'], ['public']],
    ['public', ['loopback', 'private', 'public'], []],
  ] as const)
    test(clients, async (t) => {
      const { route } = await chain(t, { parkClients: clients });
      for (const client of allowed)
        assert.equal((await ask(t, route, [`Viaduct-Client: ${client}`])).status, 200, client);
      for (const client of refused) {
        const reply = await ask(t, route, [`Viaduct-Client: ${client}`]);
        const { code, detail, hop } = problemOf(reply);
        assert.deepEqual([reply.status, code, hop], [403, 'PROHIBITED', 2]);
        assert.equal(
          detail,
          `hop 2 (~attic) is prohibited: ${client} clients may not use parked nodes (--park-clients ${clients})`,
        );
      }
    });

  test('strangers, over every wire; also for a name that nobody has', async (t) => {
    const { relay, route } = await chain(t, { parkClients: 'private', clients: 'public' });
    const encrypted = await failureOf(listFolder({ route, path: '/' }, TRUSTED));
    assert.deepEqual([encrypted.code, encrypted.hopNumber], ['PROHIBITED', 2]);
    await fetchFailure('file', route);
    const codes = new Set(
      relay.events.flatMap((event) => (event.type === 'failed' ? [event.error.code] : [])),
    );
    assert.deepEqual([...codes], ['PROHIBITED']);
    const unknown = await ask(t, [relay.hop, { parked: 'nobody' }]);
    assert.equal(problemOf(unknown).code, 'PROHIBITED');
  });

  test('at a parked node: everybody who comes through it is a stranger', async (t) => {
    const { relay, parked } = await parkedChain(t, { node: { parkFor: 'any', parkClients: 'private' } });
    const outer: readonly [HostHop, typeof parked.hop] = [relay.hop, parked.hop];
    const inner = await parkedNode(t, outer, { name: 'inner', identity: testIdentity() });
    const { code, hop } = problemOf(await ask(t, [...outer, inner.hop]));
    assert.deepEqual([code, hop], ['PROHIBITED', 3]);
  });
});
