import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RelayShares } from '#src/node/relay-shares.js';

function takeAll(shares: RelayShares, client: string, relaysLeft: number): (() => void)[] {
  const taken: (() => void)[] = [];
  try {
    for (;;) taken.push(shares.take(client, relaysLeft));
  } catch {
    return taken;
  }
}

test('a client has a quarter, and less the more relays are behind; another client has its own', () => {
  const shares = new RelayShares(2048, 'requests');
  for (const [relaysLeft, most] of [
    [0, 512],
    [1, 341],
    [2, 256],
    [14, 64],
  ] as const) {
    const taken = takeAll(shares, 'a', relaysLeft);
    assert.equal(taken.length, most);
    assert.equal(takeAll(shares, `b ${relaysLeft}`, relaysLeft).length, most);
    for (const giveBack of taken) giveBack();
  }
  assert.throws(() => takeAll(shares, 'a', 0) && shares.take('a', 0), { code: 'UNAVAILABLE' });
});

test('whatever the limit and the route, a client has a few', () => {
  assert.equal(takeAll(new RelayShares(1, 'requests'), 'a', 0).length, 4);
  assert.equal(takeAll(new RelayShares(64, 'listings'), 'a', 14).length, 4);
});
