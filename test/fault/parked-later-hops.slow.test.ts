import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Hop, type Route, formatHop, get, listFolder, traceRoute } from 'viaduct';
import { BROKEN_HOPS } from '../support/broken-hops.js';
import { failureOf } from '../support/failures.js';
import { fetchFailure } from '../support/fetch.js';
import { faultProxy } from '../support/fault-proxy.js';
import { parseReply, problemOf, proxyStatusOf, requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { type TestNode, testNode } from '../support/nodes.js';
import { PARKED_FAULTS } from '../support/parked-faults.js';
import { type ParkedTestNode, parkedNode } from '../support/parking.js';
import { exchange } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { WIRES } from '../support/wires.js';

// A machine without a name server must not wait for one (resolv.conf(5)).
process.env['RES_OPTIONS'] = 'timeout:1 attempts:1';

/** The parked node dials hops in its own host only because it is told to; all of the range, so that they have to be nodes. */
const INWARD = { allowHops: ['127.0.0.0/8', 'nowhere-3.invalid', 'nowhere-4.invalid'] };

interface Chains {
  readonly relay: TestNode;
  readonly attic: ParkedTestNode;
  readonly last: TestNode;
  /** Waits until nothing more is open than without the parked node. */
  readonly nothingOpen: () => Promise<void>;
}

/** A public node, one that is parked there, and one behind it; all are relays too. */
async function chains(t: TestContext, root: string): Promise<Chains> {
  const patient = { root, parkFor: 'any' as const, ...INWARD };
  const options = { ...patient, connectTimeoutMs: 1000 };
  // The parked node may be slow to open a further connection.
  const relay = await testNode(t, patient);
  const last = await testNode(t, options);
  const nothingOpen = watchDescriptors();
  return {
    relay,
    last,
    nothingOpen,
    attic: await parkedNode(t, [relay.hop], { name: 'attic', node: options }),
  };
}

/** What follows a label, where the hop that reports it is one with rules. */
const FAULTS = BROKEN_HOPS.filter(({ code }) => code !== 'PROHIBITED');

test('a hop behind a parked hop that fails is named by its own number, address and reason', async (t) => {
  const root = tempFolder(t);
  const { relay, attic, last, nothingOpen } = await chains(t, root);
  for (const [index, { what, at, code, reason, status, type }] of FAULTS.entries())
    await t.test(what, async (st) => {
      const behind = [relay.hop, attic.hop, await at(st, 3)];
      const further = [relay.hop, attic.hop, last.hop, await at(st, 4)];
      const runs = [behind, further].map(async (route, turn) => {
        const wire = WIRES[(index + turn) % WIRES.length];
        const hop = route.at(-1);
        assert.ok(wire && hop);
        const { options } = wire;
        const label = `hop ${route.length} (${formatHop(hop)}) `;
        const [got, listed, hops, raw] = await Promise.all([
          failureOf(get({ route, path: '/file' }, join(root, `file-${turn}`), options)),
          failureOf(listFolder({ route, path: '/' }, options)),
          traceRoute(route, options),
          exchange(st, relay.hop, requestOf(route, '/file')),
        ]);
        const traced = hops.at(-1);
        assert.ok(traced?.state === 'down' && traced.error);
        assert.ok(hops.slice(0, -1).every(({ state }) => state === 'up'));
        for (const error of [got, listed, traced.error]) {
          assert.deepEqual([error.code, error.hopNumber], [code, route.length]);
          assert.ok(error.message.startsWith(label), error.message);
          assert.match(error.message.slice(label.length), reason);
        }
        const reply = parseReply(raw.bytes);
        assert.equal(reply.status, status);
        assert.deepEqual(
          [proxyStatusOf(reply)?.['error'], problemOf(reply).hop, problemOf(reply).address],
          [type, route.length, formatHop(hop)],
        );
        if (code === 'DNS_ERROR' || code === 'REFUSED' || what.startsWith('a reset'))
          assert.equal((await fetchFailure('file', route)).code, 'CUT_SHORT');
      });
      await Promise.all(runs);
    });
  await attic.leave();
  await nothingOpen();
});

test('a parked hop behind a parked hop that fails is named, and not the one before it', async (t) => {
  const root = tempFolder(t);
  const { relay, attic } = await chains(t, root);
  for (const [index, { what, at, code, reason }] of PARKED_FAULTS.entries())
    await t.test(what, async (st) => {
      // Parked at the parked node, over the relay.
      const wire = WIRES[index % WIRES.length];
      assert.ok(wire);
      const inner = await at(st, attic.node, 'inner', [relay.hop, attic.hop]);
      const route: Route = [relay.hop, attic.hop, inner];
      const error = await failureOf(listFolder({ route, path: '/' }, wire.options));
      assert.deepEqual([error.code, error.hopNumber, error.hopAddress], [code, 3, '~inner']);
      assert.match(error.message.replace('hop 3 (~inner) ', ''), reason);
      const hops = await traceRoute(route, wire.options);
      assert.deepEqual(
        hops.map(({ state }) => state),
        ['up', 'up', 'down'],
      );
    });
});

for (const kind of ['reset', 'stall'] as const)
  test(`${kind} in the body of a hop behind a parked hop: each relay blames the one after it`, async (t) => {
    const root = tempFolder(t);
    randomFile(root, 'file', 3_000_000);
    const origin = await testNode(t, { root });
    const relay = await testNode(t, { parkFor: 'any', timeoutMs: 600_000 });
    const node = { root, timeoutMs: 1000, ...INWARD };
    const attic = await parkedNode(t, [relay.hop], { name: 'attic', node });
    const proxy = await faultProxy(t, origin.hop, { kind, at: 1_000_000 });
    const route: readonly Hop[] = [relay.hop, attic.hop, proxy.hop];
    for (const { options } of WIRES) {
      const path = join(tempFolder(t), 'file');
      const error = await failureOf(get({ route, path: '/file' }, path, { ...options, retries: 0 }));
      assert.equal(error.code, 'CUT_SHORT');
    }
    const { error } = await attic.node.event('failed');
    assert.deepEqual(
      [error.code, error.hopAddress],
      [kind === 'stall' ? 'TIMEOUT' : 'CUT_SHORT', formatHop(proxy.hop)],
    );
    const before = (await relay.event('failed')).error;
    assert.deepEqual([before.code, before.hopAddress], ['CUT_SHORT', '~attic']);
  });
