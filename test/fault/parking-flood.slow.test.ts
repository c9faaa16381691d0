import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fetchBytes } from '../support/fetch.js';
import { settles, watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { parkByHand } from '../support/park-client.js';
import { parkedNode } from '../support/parking.js';
import { ParkingAttempts } from '../support/parking-attempts.js';
import { tempFolder } from '../support/temp.js';
import { testIdentity } from '../support/tunnels.js';

test('300 quick attempts leave no lease, no token and no descriptor, and the node answers others meanwhile', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), 'x');
  // Room for three nodes: two leases that stayed would keep the last one out.
  const relay = await testNode(t, { parkFor: 'any', root, maxParked: 3, maxConnections: 60 });
  const nothingOpen = watchDescriptors();
  const parked = await parkedNode(t, [relay.hop], { name: 'attic', node: { root } });
  const route = [relay.hop, parked.hop];
  const attempts = new ParkingAttempts(relay.hop);
  const over = new AbortController();
  const flood = attempts.run(300, 6).finally(() => over.abort());
  let answers = 0;
  while (!over.signal.aborted) {
    assert.equal((await fetchBytes('file', route)).toString(), 'x');
    answers += 1;
  }
  // One in five may park, if it does not meet the one before it that has just left.
  const { '101': accepted = 0, '503': full = 0, ...others } = await flood;
  assert.deepEqual(others, { '400': 60, '403': 180 });
  assert.equal(accepted + full, 60);
  assert.ok(accepted > 0 && answers > 0);
  const counted = (type: 'parked' | 'unparked'): number =>
    relay.events.filter((event) => event.type === type).length;
  await settles(
    () => counted('parked') - counted('unparked'),
    (leases) => leases === 1,
    (leases) => `${leases} leases`,
  );
  const last = await parkByHand(t, relay.hop, 'last', testIdentity());
  await last.until(/(open \S+\n){4}/);
  last.socket.destroy();
  await parked.leave();
  assert.deepEqual(
    parked.events.map(({ type }) => type),
    ['parked'],
  );
  await nothingOpen();
});
