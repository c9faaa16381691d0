import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type NodeOptions, type Route, formatHop, get } from 'viaduct';
import { failureOf } from '../support/failures.js';
import { fetchBytes, fetchFailure } from '../support/fetch.js';
import { parseReply, problemOf, proxyStatusOf, requestOf } from '../support/http.js';
import { TRUSTED } from '../support/identity.js';
import { testNode } from '../support/nodes.js';
import { parkedChain } from '../support/parking.js';
import { exchange, lonelyServer } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';

function rootWithFile(t: TestContext): string {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), 'content');
  return root;
}

/** What becomes of a file behind a relay: over plain HTTP, in TLS through a tunnel, and on the classic wire. */
async function outcomes(t: TestContext, route: Route, fields: readonly string[] = []) {
  const [first] = route;
  assert.ok(first && 'host' in first);
  const request = requestOf(route, '/file', ['Connection: close', ...fields]);
  const reply = parseReply((await exchange(t, first, request)).bytes);
  const target = join(tempFolder(t), 'file');
  const tunnel = await get({ route, path: '/file' }, target, TRUSTED).then(
    () => 'served',
    (error: unknown) => String(error),
  );
  const classic = await fetchBytes('file', route).then(
    () => 'served',
    () => 'reset',
  );
  return { reply, tunnel, classic };
}

async function assertServed(t: TestContext, route: Route): Promise<void> {
  const { reply, tunnel, classic } = await outcomes(t, route);
  assert.deepEqual([reply.status, tunnel, classic], [200, 'served', 'served']);
}

async function assertRefused(t: TestContext, route: Route, reason: string): Promise<void> {
  const { reply, tunnel, classic } = await outcomes(t, route);
  const hop = formatHop(route[1] ?? { parked: '' });
  const { code, detail } = problemOf(reply);
  assert.deepEqual(
    [reply.status, code, detail],
    [403, 'PROHIBITED', `hop 2 (${hop}) is prohibited: ${reason}`],
  );
  assert.equal(proxyStatusOf(reply)?.['error'], 'destination_ip_prohibited');
  assert.ok(tunnel.includes(`is prohibited: ${reason}`), tunnel);
  assert.equal(classic, 'reset');
}

const NOT_FOR = 'this node does not relay for this client (--relay-for)';
const DENIED = 'a --deny-hop rule names it';

describe('a relay that relays for some clients', () => {
  for (const [relayFor, isServed] of [
    [['none'], false],
    [['10.0.0.0/8'], false],
    [['10.0.0.0/8,127.0.0.0/8'], true],
    [['loopback'], true],
    [['private'], true],
    [['any'], true],
  ] as const) {
    test(`${relayFor.join()} ${isServed ? 'relays for' : 'refuses'} one on this machine, and serves its own files`, async (t) => {
      const root = rootWithFile(t);
      const [relay, origin] = await Promise.all([testNode(t, { root, relayFor }), testNode(t, { root })]);
      if (isServed) await assertServed(t, [relay.hop, origin.hop]);
      else await assertRefused(t, [relay.hop, origin.hop], NOT_FOR);
      const own = parseReply((await exchange(t, relay.hop, requestOf([relay.hop], '/file'))).bytes);
      assert.equal(own.status, 200);
    });
  }

  test('refuses one from outside that a relay inside has brought in, whatever names the relay', async (t) => {
    const lonely = await lonelyServer(t);
    const claim = ['Viaduct-Client: public', 'Via: 1.1 viaduct'];
    for (const rule of ['loopback', 'private', '127.0.0.1']) {
      const relay = await testNode(t, { relayFor: [rule] });
      const request = requestOf([relay.hop, lonely.hop], '/file', [...claim, 'Connection: close']);
      const { code, detail } = problemOf(parseReply((await exchange(t, relay.hop, request)).bytes));
      assert.deepEqual([code, detail.includes(NOT_FOR)], ['PROHIBITED', true], rule);
    }
    await lonely.assertNotDialled();
  });

  test('in a route twice in a row, relays its own connections on', async (t) => {
    const root = rootWithFile(t);
    const relay = await testNode(t, { relayFor: ['loopback'] });
    const origin = await testNode(t, { root });
    await assertServed(t, [relay.hop, relay.hop, origin.hop]);
  });

  test('covers the nodes that are parked there', async (t) => {
    const node = { root: rootWithFile(t) };
    for (const relayFor of [['none'], ['10.0.0.0/8']]) {
      const { route } = await parkedChain(t, { relay: { relayFor }, node });
      await assertRefused(t, route, NOT_FOR);
    }
    const { route } = await parkedChain(t, { relay: { relayFor: ['loopback'] }, node });
    await assertServed(t, route);
  });
});

/** An origin, and a relay with options that may name the port of it. */
async function chain(t: TestContext, options: (port: number) => Partial<NodeOptions>) {
  const root = rootWithFile(t);
  const origin = await testNode(t, { root });
  const relay = await testNode(t, options(origin.hop.port));
  return { relay: relay.hop, origin: origin.hop };
}

describe('a relay that denies hops', () => {
  test('refuses them by address and by name, also those that --allow-hop names', async (t) => {
    const { relay, origin } = await chain(t, (port) => ({
      allowHops: ['127.0.0.1', 'localhost'],
      denyHops: [`127.0.0.0/8:${port}`, '::1'],
    }));
    await assertRefused(t, [relay, origin], DENIED);
    await assertRefused(t, [relay, { ...origin, host: 'localhost' }], DENIED);
  });

  test('refuses a name that does not even resolve, without a look-up', async (t) => {
    const { relay } = await chain(t, () => ({ denyHops: ['*.invalid'] }));
    await assertRefused(t, [relay, { host: 'nowhere.invalid', port: 9000 }], DENIED);
    const error = await fetchFailure('file', [relay, { host: 'nowhere.invalid', port: 9000 }]);
    assert.equal(error.code, 'CUT_SHORT');
  });

  test('dials all others as before', async (t) => {
    const { relay, origin } = await chain(t, (port) => ({
      denyHops: ['10.0.0.0/8', `127.0.0.1:${port + 1}`, '~attic'],
    }));
    await assertServed(t, [relay, origin]);
  });

  test('refuses a parked node by its name, and by its pin', async (t) => {
    const node = { root: rootWithFile(t) };
    const { route } = await parkedChain(t, { relay: { denyHops: ['~attic'] }, node });
    await assertRefused(t, route, DENIED);
    const other = await parkedChain(t, { relay: { denyHops: ['~cellar'] }, node });
    await assertServed(t, other.route);
    const error = await failureOf(get({ route, path: '/file' }, join(tempFolder(t), 'file'), TRUSTED));
    assert.deepEqual([error.code, error.hopNumber], ['PROHIBITED', 2]);
  });
});
