import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHop } from 'viaduct';
import { refusingHop } from '../support/black-hole.js';
import { fetchFailure, messageOf } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { exchange, rawServer } from '../support/raw.js';
import { outcomeOf } from '#src/cli/exit-codes.js';

test('the client refuses a route of 17 hops and dials nobody', async (t) => {
  const { hop, server } = await rawServer(t, () => {});
  server.on('connection', () => assert.fail('it dialled'));
  const failure = await fetchFailure(
    'x',
    Array.from({ length: 17 }, () => hop),
  );
  assert.equal(failure.code, 'TOO_MANY_HOPS');
  assert.equal(outcomeOf(failure).exit, 2);
});

test('a node refuses a message with 16 hops left and dials nobody', async (t) => {
  const node = await testNode(t);
  const { hop, server } = await rawServer(t, () => {});
  server.on('connection', () => assert.fail('it dialled'));
  const nothingOpen = watchDescriptors();
  const ending = await exchange(
    t,
    node.hop,
    messageOf(
      'x',
      Array.from({ length: 16 }, () => hop),
    ),
  );
  assert.equal(ending.how, 'reset');
  assert.equal((await node.event('failed')).error.code, 'TOO_MANY_HOPS');
  await nothingOpen();
});

test('a node takes a message with 15 hops left', async (t) => {
  const node = await testNode(t);
  const refusing = await refusingHop(t);
  const nothingOpen = watchDescriptors();
  await exchange(
    t,
    node.hop,
    messageOf(
      'x',
      Array.from({ length: 15 }, () => refusing),
    ),
  );
  const { error } = await node.event('failed');
  assert.equal(error.code, 'REFUSED', 'it got as far as the dial');
  assert.equal(error.hopAddress, formatHop(refusing));
  await nothingOpen();
});
