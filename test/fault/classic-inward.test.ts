import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchBytes, fetchFailure } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { havePeer } from '../support/peers.js';
import { LOOPBACK, PRIVATE, PUBLIC, innerChain, placedNode } from '../support/placed-nodes.js';
import { exchange, lonelyServer, rawServer } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { OriginalServer } from '../interop/original.js';

for (const relays of [1, 2, 3]) {
  for (const [who, from, isServed] of [
    ['public', PUBLIC, { inside: false, itself: false }],
    ['private', PRIVATE, { inside: true, itself: false }],
    ['loopback', LOOPBACK, { inside: true, itself: true }],
  ] as const) {
    for (const target of ['inside', 'itself'] as const) {
      test(`a ${who} classic client, over ${relays} relay(s), and a hop ${target}`, async (t) => {
        const { hops, file } = await innerChain(t, relays + 1, from);
        const goal = hops[relays];
        assert.ok(goal);
        const lonely = await lonelyServer(t);
        const nothingOpen = watchDescriptors();
        const fetched = fetchBytes('file', hops.with(relays, { host: target, port: goal.port }));
        if (isServed[target]) assert.deepEqual(await fetched, file);
        else {
          await assert.rejects(fetched, { code: 'CUT_SHORT' });
          await fetchFailure('file', hops.with(relays, { host: target, port: lonely.hop.port }));
        }
        await nothingOpen();
        await lonely.assertNotDialled();
      });
    }
  }
}

test('the class of a client passes an original relay', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const { hops } = await innerChain(t, 2, PUBLIC);
  const [first, last] = hops;
  assert.ok(first && last);
  const original = await OriginalServer.start(t, tempFolder(t));
  const { hop, assertNotDialled } = await lonelyServer(t);
  const between = { host: 'outside', port: original.hop.port };
  const route = [first, between, { ...last, host: '127.0.0.1' }, { ...hop, host: 'itself' }];
  // An original ends its reply cleanly when it fails.
  assert.equal((await fetchBytes('file', route)).length, 0);
  await assertNotDialled();
});

test('what a classic message says of the client counts only outward', async (t) => {
  const { hops } = await innerChain(t, 2, PUBLIC);
  const [first, { port } = { port: 0 }] = hops;
  assert.ok(first);
  for (const word of ['loopback', 'private', 'public', 'Loopback', 'x']) {
    const { bytes, how } = await exchange(t, first, `file\ninside ${port} ${word}\n\n`);
    assert.deepEqual([bytes.length, how], [0, 'reset'], word);
  }
  const { hops: trusted, file } = await innerChain(t, 2, LOOPBACK);
  const [near, goal] = trusted;
  assert.ok(near && goal);
  for (const [word, isServed] of [
    ['loopback', true],
    ['private', false],
    ['public', false],
    ['sha256//of-someone-else=', true],
  ] as const) {
    const { bytes } = await exchange(t, near, `file\nitself ${goal.port} ${word}\n\n`);
    assert.deepEqual(bytes, isServed ? file : Buffer.alloc(0), word);
  }
});

test('a relay tells the next hop nothing of a client on its own host, and else the class in every hop line', async (t) => {
  for (const [from, expected] of [
    [LOOPBACK, 'file\nh2 2\nh3 3\n\n'],
    [PRIVATE, 'file\nh2 2 private\nh3 3 private\n\n'],
    [PUBLIC, 'file\nh2 2 public\nh3 3 public\n\n'],
  ] as const) {
    let message = '';
    const { hop } = await rawServer(t, (socket) => {
      socket.once('data', (chunk: Buffer) => {
        message = chunk.toString();
        socket.end();
      });
    });
    const names = { next: '1.1.1.1' };
    const relay = await placedNode(t, { from, names, root: tempFolder(t) });
    await exchange(t, relay, `file\nnext ${hop.port}\nh2 2\nh3 3\n\n`);
    assert.equal(message, expected);
  }
});
