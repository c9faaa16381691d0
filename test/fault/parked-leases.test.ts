import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ParkingTimes, PARKING_TIMES } from '#src/wire/parking.js';
import { failureOf } from '../support/failures.js';
import { fetchBytes } from '../support/fetch.js';
import { freezingProxy } from '../support/freezing-proxy.js';
import { settles, watchDescriptors } from '../support/leaks.js';
import { type TestNode, testChain, testNode } from '../support/nodes.js';
import { type Talk, parkByHand, readyByHand } from '../support/park-client.js';
import { parkedNode, parkingNode } from '../support/parking.js';
import { tempFolder } from '../support/temp.js';
import { tunnelOf } from '../support/idle-tunnel.js';

/** Beats that come many times in each limit, also on a busy machine. */
const QUICK: ParkingTimes = { ...PARKING_TIMES, beatMs: 20, relayBeatMs: 20, beatLimitMs: 600 };

function rootWith(t: TestContext, content: string): string {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), content);
  return root;
}

/** The reasons why leases ended so far. */
function endings({ events }: TestNode): string[] {
  return events.flatMap((event) => (event.type === 'unparked' ? [event.reason] : []));
}

const OTHER = 'another node with the same key and name took its place';

test('the same key again replaces a lease at once, also one whose node is dead without a word', async (t) => {
  // There is room for one: a dead predecessor must not lock its successor out.
  const times = { parkingLimits: { nodes: 1, nodesPerPin: 1, nodesPerNetwork: 1 } };
  const relay = await testNode(t, { parkFor: 'any', maxParked: 1 }, times);
  const dead = await parkByHand(t, relay.hop, 'attic');
  await dead.until(/(open \S+\n){4}/);
  const ready = await Promise.all(dead.tokens.slice(0, 3).map((token) => readyByHand(t, relay.hop, token)));
  dead.socket.pause();
  const root = rootWith(t, 'new');
  const parked = await parkedNode(t, [relay.hop], { name: 'attic', node: { root } });
  assert.equal((await fetchBytes('file', [relay.hop, parked.hop])).toString(), 'new');
  assert.deepEqual(endings(relay), [OTHER]);
  // What it had ready is gone, and what it was asked for is no longer taken.
  await Promise.all(ready.map(({ ended }) => ended));
  assert.ok(ready.every(({ heard }) => !heard.includes('file')));
  const late = await readyByHand(t, relay.hop, dead.tokens[3] ?? '');
  assert.match(late.heard, /^HTTP\/1\.1 403 /);
  dead.socket.resume();
  await dead.until(new RegExp(`bye ${OTHER}\n`));
  await dead.ended;
});

test('many connections with one key at once leave one lease, and no connection without one', async (t) => {
  const relay = await testNode(t, { parkFor: 'any' });
  const nothingOpen = watchDescriptors();
  const talks = await Promise.all(Array.from({ length: 20 }, () => parkByHand(t, relay.hop, 'attic')));
  const open = (): Talk[] => talks.filter((talk) => !talk.isOver);
  while (open().length > 1) await Promise.race(open().map((talk) => talk.ended));
  assert.deepEqual(
    endings(relay),
    Array.from({ length: 19 }, () => OTHER),
  );
  const [last] = open();
  last?.socket.write('ping\n');
  await last?.until(/pong\n/);
  for (const talk of talks) talk.socket.destroy();
  await nothingOpen();
});

test('a control connection that is silent ends after its limit, and one that pings does not', async (t) => {
  const relay = await testNode(t, { parkFor: 'any' }, { parking: QUICK });
  const root = rootWith(t, 'x');
  const lively = await parkedNode(t, [relay.hop], { name: 'lively', times: QUICK, node: { root } });
  const mute = await parkByHand(t, relay.hop, 'mute');
  await mute.ended;
  assert.deepEqual(endings(relay), ['it sent nothing for 0.6 s']);
  assert.equal((await fetchBytes('file', [relay.hop, lively.hop])).toString(), 'x');
  assert.deepEqual(
    lively.events.map(({ type }) => type),
    ['parked'],
  );
});

test('when all its connections go dead without a word, both ends notice, and the node parks again', async (t) => {
  const relay = await testNode(t, { parkFor: 'any', timeoutMs: 300 }, { parking: QUICK, headPerHopMs: 50 });
  const proxy = await freezingProxy(t, relay.hop);
  const root = rootWith(t, 'x');
  const parked = await parkedNode(t, [proxy.hop], { name: 'attic', times: QUICK, node: { root } });
  const route = [relay.hop, parked.hop];
  assert.equal((await fetchBytes('file', route)).toString(), 'x');
  proxy.freeze();
  // A black hole: it was ready, and what is sent to it gets no answer.
  assert.equal((await failureOf(fetchBytes('file', route))).code, 'CUT_SHORT');
  const { error } = await relay.event('failed');
  assert.deepEqual([error.code, error.hopAddress], ['TIMEOUT', '~attic']);
  const { error: lost } = await parked.event('lost');
  assert.match(lost.message, /^hop 1 \(\S+\) sent nothing for 0\.6 s$/);
  await settles(
    () => parked.events.filter(({ type }) => type === 'parked').length,
    (times) => times === 2,
    (times) => `parked ${times} times`,
  );
  assert.equal((await fetchBytes('file', route)).toString(), 'x');
  assert.ok(endings(relay).every((reason) => reason === 'it sent nothing for 0.6 s' || reason === OTHER));
});

test('parking over relays outlives their limit of silence', async (t) => {
  const lobby = await testNode(t, { parkFor: 'any' }, { parking: { ...QUICK, beatLimitMs: 10_000 } });
  const { nodes, route: relays } = await testChain(t, 2, { timeoutMs: 1000 });
  const times = { ...QUICK, beatLimitMs: 10_000 };
  const root = rootWith(t, 'x');
  const parked = await parkedNode(t, [...relays, lobby.hop], { name: 'far', times, node: { root } });
  // As old as the parked node's connections, or younger: when the relays have ended this one, they could have ended those.
  for (let round = 1; round <= 2; round += 1) await (await tunnelOf(t, [...relays, lobby.hop])).ended;
  assert.deepEqual(
    parked.events.map(({ type }) => type),
    ['parked'],
  );
  // The control connection, four that are ready, and the two tunnels: not one had to be replaced.
  const relayed = nodes[0]?.events.filter(({ type }) => type === 'relaying') ?? [];
  assert.equal(relayed.length, 1 + 4 + 2);
  assert.equal((await fetchBytes('file', [lobby.hop, parked.hop])).toString(), 'x');
});

test('a node that is not let in tries again until it is', async (t) => {
  const relay = await testNode(t, { parkFor: 'none' });
  const parked = await parkingNode(t, [relay.hop], { name: 'attic' });
  const { error, pauseMs } = await parked.event('lost');
  assert.deepEqual([error.code, error.hopNumber], ['PARKING_REFUSED', 1]);
  assert.match(error.message, /: this node parks no nodes; start it with --park-for$/);
  assert.ok(pauseMs > 0);
  relay.parkFor('any');
  await parked.event('parked');
  relay.parkFor('none');
  await settles(
    () => endings(relay),
    (reasons) => reasons.length === 1,
    (reasons) => reasons.join(),
  );
  assert.deepEqual(endings(relay), ['this relay no longer parks it (--park-for)']);
});
