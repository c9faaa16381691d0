import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHop } from 'viaduct';
import { blackHole } from '../support/black-hole.js';
import { fetchFailure, messageOf } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { rawConnect } from '../support/raw.js';
import { outcomeOf } from '#src/cli/exit-codes.js';

const SHORT_MS = 300;
/** Longer than the test may take: whoever has this limit is not the one that ended it. */
const LONG_MS = 600_000;

test('a relay gives up a dial that nobody answers, and names the hop', async (t) => {
  const hole = await blackHole(t);
  const relay = await testNode(t, { connectTimeoutMs: SHORT_MS });
  const nothingOpen = watchDescriptors();
  const failure = await fetchFailure('x', [relay.hop, hole], { timeoutMs: LONG_MS });
  assert.equal(failure.code, 'CUT_SHORT');
  assert.equal(outcomeOf(failure).exit, 18);
  const { error } = await relay.event('failed');
  assert.equal(error.code, 'CONNECT_TIMEOUT');
  assert.equal(error.hopAddress, formatHop(hole));
  assert.match(error.message, /did not answer within 0\.3 s/);
  await nothingOpen();
});

test('the client gives up a dial that nobody answers', async (t) => {
  const hole = await blackHole(t);
  const nothingOpen = watchDescriptors();
  const failure = await fetchFailure('x', [hole], { connectTimeoutMs: SHORT_MS });
  assert.equal(failure.code, 'CONNECT_TIMEOUT');
  assert.equal(outcomeOf(failure).exit, 28);
  assert.equal(failure.hopAddress, formatHop(hole));
  await nothingOpen();
});

test('a client that leaves during the dial ends it', async (t) => {
  const hole = await blackHole(t);
  const relay = await testNode(t, { connectTimeoutMs: LONG_MS });
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, relay.hop);
  client.write(messageOf('x', [hole]));
  await relay.event('relaying');
  client.resetAndDestroy();
  assert.equal((await relay.event('failed')).error.code, 'CLIENT_GONE');
  await nothingOpen();
});
