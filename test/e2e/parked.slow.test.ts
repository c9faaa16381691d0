import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, suite, test } from 'node:test';
import { type EncryptionOptions, type Route, formatHop, get, listFolder, traceRoute } from 'viaduct';
import { pinBegins } from '#src/route/parked-name.js';
import { fetchBytes } from '../support/fetch.js';
import { failureOf } from '../support/failures.js';
import { urlOf } from '../support/http.js';
import { PIN, TRUSTED } from '../support/identity.js';
import { testChain, testNode } from '../support/nodes.js';
import { parkedChain, parkedNode } from '../support/parking.js';
import { patternAt } from '../support/pattern.js';
import { tempFolder } from '../support/temp.js';
import { testIdentity } from '../support/tunnels.js';
import { WIRES } from '../support/wires.js';

const CONTENT = patternAt(0, 1_000_000);

async function getBytes(t: TestContext, route: Route, options: EncryptionOptions): Promise<Buffer> {
  const path = join(tempFolder(t), 'f.bin');
  await get({ route, path: '/f.bin' }, path, options);
  return readFileSync(path);
}

suite('a parked node is a hop by name', () => {
  for (const wire of WIRES)
    test(`get, ls and trace, ${wire.name}`, async (t) => {
      const root = tempFolder(t);
      writeFileSync(join(root, 'f.bin'), CONTENT);
      const { route } = await parkedChain(t, { node: { root } });
      assert.ok(CONTENT.equals(await getBytes(t, route, wire.options)));
      const entries = await listFolder({ route, path: '/' }, wire.options);
      assert.deepEqual(
        entries.map(({ name }) => name),
        ['f.bin'],
      );
      const hops = await traceRoute(route, wire.options);
      assert.deepEqual(
        hops.map(({ hop, state }) => [formatHop(hop), state]),
        [
          [formatHop(route[0]), 'up'],
          ['~attic', 'up'],
        ],
      );
    });

  test('any HTTP client, and the classic wire', async (t) => {
    const root = tempFolder(t);
    writeFileSync(join(root, 'f.bin'), CONTENT);
    const { route } = await parkedChain(t, { node: { root } });
    const reply = await fetch(urlOf(route, '/f.bin'));
    assert.ok(CONTENT.equals(Buffer.from(await reply.arrayBuffer())));
    assert.ok(CONTENT.equals(await fetchBytes('f.bin', route)));
  });

  test('without a name it is called by its pin', async (t) => {
    const root = tempFolder(t);
    writeFileSync(join(root, 'f'), 'x');
    const relay = await testNode(t, { parkFor: 'any' });
    const { hop } = await parkedNode(t, [relay.hop], { node: { root } });
    assert.ok(pinBegins(PIN, hop.parked));
    assert.equal((await fetchBytes('f', [relay.hop, hop])).toString(), 'x');
  });

  test('in the middle of a route it relays on, and parked nodes behind one another work', async (t) => {
    const root = tempFolder(t);
    writeFileSync(join(root, 'f.bin'), CONTENT);
    const origin = await testNode(t, { root });
    const node = { allowHops: ['127.0.0.1'], parkFor: 'any' as const };
    const { route, parked } = await parkedChain(t, { node });
    assert.ok(CONTENT.equals(await fetchBytes('f.bin', [...route, origin.hop])));
    assert.ok(CONTENT.equals(await getBytes(t, [...route, origin.hop], TRUSTED)));
    const other = testIdentity();
    const inner = await parkedNode(t, route, { name: 'inner', identity: other, node: { root } });
    assert.ok(CONTENT.equals(await fetchBytes('f.bin', [...route, inner.hop])));
    assert.equal(parked.events.length, 1);
  });

  test('it parks over a route of several hops', async (t) => {
    const root = tempFolder(t);
    writeFileSync(join(root, 'f.bin'), CONTENT);
    const { route: relays } = await testChain(t, 2);
    const lobby = await testNode(t, { parkFor: 'any' });
    const { hop } = await parkedNode(t, [...relays, lobby.hop], { name: 'far', node: { root } });
    for (const wire of WIRES) assert.ok(CONTENT.equals(await getBytes(t, [lobby.hop, hop], wire.options)));
  });

  test('64 downloads at once', async (t) => {
    const root = tempFolder(t);
    writeFileSync(join(root, 'f.bin'), CONTENT);
    const { route } = await parkedChain(t, { node: { root } });
    const all = await Promise.all(Array.from({ length: 64 }, () => fetchBytes('f.bin', route)));
    assert.ok(all.every((bytes) => CONTENT.equals(bytes)));
  });

  test('a name that is not parked, and a node that has left', async (t) => {
    const { relay, parked, route } = await parkedChain(t);
    const error = await failureOf(
      listFolder({ route: [relay.hop, { parked: 'nobody' }], path: '/' }, TRUSTED),
    );
    assert.deepEqual(
      [error.code, error.message, error.hopNumber],
      ['NOT_PARKED', 'hop 2 (~nobody) is not parked here', 2],
    );
    await parked.leave();
    await relay.event('unparked');
    assert.equal((await failureOf(listFolder({ route, path: '/' }, TRUSTED))).code, 'NOT_PARKED');
  });
});
