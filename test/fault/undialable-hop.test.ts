import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHop } from 'viaduct';
import { refusingHop } from '../support/black-hole.js';
import { fetchFailure } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain, testNode } from '../support/nodes.js';
import { outcomeOf } from '#src/cli/exit-codes.js';

// A machine without a name server must not wait for one (resolv.conf(5)).
process.env['RES_OPTIONS'] = 'timeout:1 attempts:1';
/** Reserved for names that never exist (RFC 6761 §6.4). */
const NOWHERE = { host: 'nowhere.invalid', port: 12_000 };

test('a next hop that refuses is named by the relay that dialled it, and by no other', async (t) => {
  const refusing = await refusingHop(t);
  const { nodes, route } = await testChain(t, 3);
  const nothingOpen = watchDescriptors();
  const failure = await fetchFailure('x', [...route, refusing]);
  assert.equal(failure.code, 'CUT_SHORT');
  assert.equal(outcomeOf(failure).exit, 18);
  const ends = await Promise.all(nodes.map((node) => node.event('failed')));
  assert.deepEqual(
    ends.map(({ error }) => [error.code, error.hopAddress]),
    [
      ['CUT_SHORT', formatHop(nodes[1]?.hop ?? refusing)],
      ['CUT_SHORT', formatHop(nodes[2]?.hop ?? refusing)],
      ['REFUSED', formatHop(refusing)],
    ],
  );
  await nothingOpen();
});

test('a first hop that refuses', async (t) => {
  const refusing = await refusingHop(t);
  const failure = await fetchFailure('x', [refusing]);
  assert.equal(failure.code, 'REFUSED');
  assert.equal(outcomeOf(failure).exit, 7);
  assert.equal(failure.hopAddress, formatHop(refusing));
});

test('a next hop whose name does not resolve', async (t) => {
  const relay = await testNode(t);
  const nothingOpen = watchDescriptors();
  const failure = await fetchFailure('x', [relay.hop, NOWHERE]);
  assert.equal(failure.code, 'CUT_SHORT');
  const { error } = await relay.event('failed');
  assert.equal(error.code, 'DNS_ERROR');
  assert.equal(error.hopAddress, formatHop(NOWHERE));
  await nothingOpen();
});

test('a first hop whose name does not resolve', async () => {
  const failure = await fetchFailure('x', [NOWHERE]);
  assert.equal(failure.code, 'DNS_ERROR');
  assert.equal(outcomeOf(failure).exit, 6);
});
