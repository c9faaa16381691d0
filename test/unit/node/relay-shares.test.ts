import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asViaductError } from '#src/errors.js';
import { RelayShares } from '#src/node/relay-shares.js';

/** How many a client can take. */
function takeAll(shares: RelayShares, client: string, relaysLeft: number): number {
  for (let taken = 0; ; taken += 1) {
    try {
      shares.take(client, relaysLeft);
    } catch (error) {
      assert.equal(asViaductError(error).code, 'UNAVAILABLE');
      return taken;
    }
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
    assert.equal(takeAll(shares, 'a', relaysLeft), most);
    assert.equal(takeAll(shares, `b ${relaysLeft}`, relaysLeft), most);
    for (let taken = 0; taken < most; taken += 1) shares.giveBack('a');
  }
});

test('whatever the limit and the route, a client has a few', () => {
  assert.equal(takeAll(new RelayShares(1, 'requests'), 'a', 0), 4);
  assert.equal(takeAll(new RelayShares(64, 'listings'), 'a', 14), 4);
});
