import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { parseReply, problemOf, proxyStatusOf, requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { LOOPBACK, PRIVATE, PUBLIC, innerChain } from '../support/placed-nodes.js';
import { exchange, lonelyServer } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';

async function ask(t: TestContext, route: readonly HostHop[], fields: readonly string[] = []) {
  const [first] = route;
  assert.ok(first);
  return parseReply(
    (await exchange(t, first, requestOf(route, '/file', ['Connection: close', ...fields]))).bytes,
  );
}

for (const relays of [1, 2, 3, 4]) {
  for (const [who, from, expected] of [
    ['public', PUBLIC, { inside: 403, itself: 403 }],
    ['private', PRIVATE, { inside: 200, itself: 403 }],
    ['loopback', LOOPBACK, { inside: 200, itself: 200 }],
  ] as const) {
    for (const target of ['inside', 'itself'] as const) {
      test(`a ${who} client, over ${relays} relay(s), and a hop ${target}: ${expected[target]}`, async (t) => {
        const { hops, file } = await innerChain(t, relays + 1, from);
        const goal = hops[relays];
        assert.ok(goal);
        const route = hops.with(relays, { host: target, port: goal.port });
        const lonely = await lonelyServer(t);
        const nothingOpen = watchDescriptors();
        const reply = await ask(t, route);
        assert.equal(reply.status, expected[target]);
        if (reply.status === 200) assert.ok(reply.body.equals(file));
        else {
          assert.equal(proxyStatusOf(reply)?.['error'], 'destination_ip_prohibited');
          const { hop, detail } = problemOf(reply);
          // The last relay, to which the client before it is as near as can be.
          assert.equal(hop, relays + 1);
          assert.match(detail, new RegExp(`and the client a ${who} one; --allow-hop ${target}:`));
          await ask(t, route.with(relays, { host: target, port: lonely.hop.port }));
        }
        await nothingOpen();
        if (reply.status !== 200) await lonely.assertNotDialled();
      });
    }
  }
}

describe('claims of a client about itself', () => {
  const lies: Record<string, readonly string[]> = {
    'a forged loopback': ['Viaduct-Client: loopback'],
    'a forged loopback in capitals': ['VIADUCT-CLIENT: loopback'],
    'two claims': ['Viaduct-Client: loopback', 'Viaduct-Client: loopback'],
    'a list': ['Viaduct-Client: loopback, loopback'],
    garbage: ['Viaduct-Client: inside'],
    'another case': ['Viaduct-Client: Loopback'],
    nothing: ['Viaduct-Client:'],
    'one that Connection names': ['Viaduct-Client: loopback', 'Connection: viaduct-client'],
    'a number of hops': ['Via: 1.1 viaduct, 1.1 viaduct', 'Viaduct-Client: loopback'],
  };
  for (const [what, fields] of Object.entries(lies)) {
    test(`${what} gains a public client nothing, over 1 to 3 relays`, async (t) => {
      const { hops } = await innerChain(t, 4, PUBLIC);
      for (const relays of [1, 2, 3]) {
        const goal = hops[relays];
        assert.ok(goal);
        const reply = await ask(t, [...hops.slice(0, relays), { ...goal, host: 'inside' }], fields);
        assert.equal(reply.status, 403);
        assert.equal(problemOf(reply).code, 'PROHIBITED');
      }
    });
  }

  test('an honest one moves a client outward only, and one that is none makes it public', async (t) => {
    for (const [claim, inside, itself] of [
      [['Viaduct-Client: loopback'], 200, 200],
      [['Viaduct-Client: private'], 200, 403],
      [['Viaduct-Client: public'], 403, 403],
      [['Viaduct-Client: inside'], 403, 403],
      [['Viaduct-Client: loopback', 'Viaduct-Client: loopback'], 403, 403],
      [['Viaduct-Client:'], 403, 403],
    ] as const) {
      const { hops } = await innerChain(t, 2, LOOPBACK);
      const [first, { port } = { port: 0 }] = hops;
      assert.ok(first);
      const statuses = [
        (await ask(t, [first, { host: 'inside', port }], claim)).status,
        (await ask(t, [first, { host: 'itself', port }], claim)).status,
      ];
      assert.deepEqual(statuses, [inside, itself], claim.join());
    }
  });
});

test('with --clients public a local client has nothing local dialled, but files are served', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 100);
  const node = await testNode(t, { root, clients: 'public' });
  const { hop, assertNotDialled } = await lonelyServer(t);
  const reply = await ask(t, [node.hop, hop], ['Viaduct-Client: loopback']);
  assert.equal(reply.status, 403);
  assert.match(problemOf(reply).detail, /a loopback address and the client a public one; --allow-hop/);
  assert.ok((await ask(t, [node.hop])).body.equals(file));
  // A relay before it that trusts the client does not help.
  const trusting = await testNode(t);
  assert.equal((await ask(t, [trusting.hop, node.hop, hop])).status, 403);
  await assertNotDialled();
});
