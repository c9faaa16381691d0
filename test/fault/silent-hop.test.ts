import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatHop } from 'viaduct';
import { fetchFailure } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain, testNode } from '../support/nodes.js';
import { rawServer } from '../support/raw.js';
import { outcomeOf } from '#src/cli/exit-codes.js';

const SHORT_MS = 300;
/** Longer than the test may take: whoever has this limit is not the one that ended it. */
const LONG_MS = 600_000;

/** A hop that takes every message, sends `text`, and then nothing more, as origin or as relay. */
async function silentHop(t: TestContext, text = ''): Promise<HostHop> {
  const { hop } = await rawServer(t, (socket) => {
    socket.resume();
    socket.once('end', () => socket.end());
    socket.write(text);
  });
  return hop;
}

test('a relay cuts a next hop that answers nothing, and names it', async (t) => {
  const silent = await silentHop(t);
  const last = await testNode(t, { timeoutMs: SHORT_MS });
  const first = await testNode(t, { timeoutMs: LONG_MS });
  const nothingOpen = watchDescriptors();
  const failure = await fetchFailure('x', [first.hop, last.hop, silent], { timeoutMs: LONG_MS });
  assert.equal(failure.code, 'CUT_SHORT');
  assert.equal(failure.hopAddress, formatHop(first.hop));
  const { error, bytes } = await last.event('failed');
  assert.equal(error.code, 'TIMEOUT');
  assert.equal(error.hopAddress, formatHop(silent));
  assert.equal(bytes, 0);
  const { error: seenByFirst } = await first.event('failed');
  assert.equal(seenByFirst.code, 'CUT_SHORT');
  assert.equal(seenByFirst.hopAddress, formatHop(last.hop));
  await nothingOpen();
});

test('a silent hop in the middle of the route is cut just the same', async (t) => {
  const silent = await silentHop(t);
  const relay = await testNode(t, { timeoutMs: SHORT_MS });
  const origin = await testNode(t);
  const nothingOpen = watchDescriptors();
  const failure = await fetchFailure('x', [relay.hop, silent, origin.hop], { timeoutMs: LONG_MS });
  assert.equal(failure.code, 'CUT_SHORT');
  const { error } = await relay.event('failed');
  assert.equal(error.code, 'TIMEOUT');
  assert.equal(error.hopAddress, formatHop(silent));
  assert.deepEqual(origin.events, []);
  await nothingOpen();
});

test('an origin that falls silent in mid-body is cut, and the bytes before are counted', async (t) => {
  const silent = await silentHop(t, 'half');
  const relay = await testNode(t, { timeoutMs: SHORT_MS });
  const nothingOpen = watchDescriptors();
  const failure = await fetchFailure('x', [relay.hop, silent], { timeoutMs: LONG_MS });
  assert.equal(failure.code, 'CUT_SHORT');
  const { error, bytes } = await relay.event('failed');
  assert.equal(error.code, 'TIMEOUT');
  assert.equal(bytes, 4);
  await nothingOpen();
});

test('the client gives up by itself and says how long and after how many bytes; all nodes let go', async (t) => {
  const silent = await silentHop(t, 'half');
  const { nodes, route } = await testChain(t, 2, { timeoutMs: LONG_MS });
  const nothingOpen = watchDescriptors();
  const failure = await fetchFailure('x', [...route, silent], { timeoutMs: SHORT_MS });
  assert.equal(failure.code, 'TIMEOUT');
  assert.equal(outcomeOf(failure).exit, 28);
  assert.match(failure.message, /no data for 0\.3 s .*after 4 bytes/);
  for (const node of nodes) assert.equal((await node.event('failed')).error.code, 'CLIENT_GONE');
  await nothingOpen();
});
