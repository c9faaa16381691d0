import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { NETWORK_VIEW_MS, systemNetworkView } from '#src/node/access/network-view.js';
import { parseAddress, parsePrefix } from '#src/route/address.js';

test('it has all addresses of this host, as prefixes that the policy can read', () => {
  const { own } = systemNetworkView()();
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address }) => address),
  );
  assert.ok(addresses.includes('127.0.0.1'));
  for (const address of addresses) {
    assert.ok(
      own.some((prefix) => prefix.startsWith(`${address}/`)),
      address,
    );
  }
  for (const prefix of own) assert.ok(parsePrefix(prefix), prefix);
});

test('its gateways are addresses on a link of this host', () => {
  const { gateways } = systemNetworkView()();
  for (const gateway of gateways) assert.ok(parseAddress(gateway), gateway);
});

test('it is read again after a while, and not before', (t) => {
  let now = 1_000_000;
  t.mock.method(performance, 'now', () => now);
  const view = systemNetworkView();
  const first = view();
  now += NETWORK_VIEW_MS;
  assert.equal(view(), first);
  now += 1;
  assert.notEqual(view(), first);
  assert.deepEqual(view(), first);
});
