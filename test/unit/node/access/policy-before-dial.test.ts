import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { TcpDialler } from '#src/tcp/dial.js';
import { type Lookup, Resolver } from '#src/tcp/resolver.js';
import type { AddressClass } from '#src/node/access/address.js';
import { Policy } from '#src/node/access/policy.js';
import { VIEW } from '../../../support/addresses.js';
import { failureOf } from '../../../support/failures.js';
import { testNode } from '../../../support/nodes.js';
import { finds } from '../../../support/lookups.js';
import { exchange, lonelyServer, rawServer } from '../../../support/raw.js';
import { REFUSED_HOSTS } from '../../../support/refused-hosts.js';
import { randomFile, tempFolder } from '../../../support/temp.js';

/** Dials as a relay does for a client of that class, with a look-up of the test's own. */
function relayDial(client: AddressClass, hop: HostHop, lookup: Lookup) {
  const policy = new Policy({ allowHops: [], clients: 'observed', view: () => VIEW, ownPort: 1 });
  return new TcpDialler(new Resolver(lookup)).dial(hop, {
    label: `next hop ${hop.host}`,
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    client: 'c1',
    permit: (target, addresses) => policy.check(client, target, addresses),
  });
}

describe('a name with one bad address', () => {
  for (const bad of [
    '127.0.0.2',
    '10.0.0.1',
    '169.254.169.254',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '0.0.0.0',
  ]) {
    for (const addresses of [
      ['8.8.8.8', bad],
      [bad, '8.8.8.8'],
    ]) {
      test(`${addresses.join(', ')}: refused before any dial`, async (t) => {
        const { hop, assertNotDialled } = await lonelyServer(t);
        const error = await failureOf(
          relayDial('public', { host: 'name', port: hop.port }, finds(...addresses)),
        );
        assert.equal(error.code, 'PROHIBITED');
        await assertNotDialled();
      });
    }
  }

  test('a local client may have a local name dialled', async (t) => {
    const { hop } = await rawServer(t, () => {});
    const stream = await relayDial('loopback', { host: 'name', port: hop.port }, finds('127.0.0.1'));
    stream.reset();
  });
});

describe('odd spellings of an address in a message', () => {
  const spellings = [
    '::ffff:127.0.0.1',
    '[::ffff:7f00:1]',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fe80::1%eth0',
    '0.0.0.0',
    '::',
  ];

  test('are refused by a node before any dial', async (t) => {
    const { hop, assertNotDialled } = await lonelyServer(t);
    const node = await testNode(t, { root: tempFolder(t) });
    const hosts = [
      ...spellings,
      ...REFUSED_HOSTS.filter((host) => host.trim() !== '' && !/[\n\0 ]/.test(host)),
    ];
    for (const [connection, host] of hosts.entries()) {
      const { how } = await exchange(t, node.hop, `file\n${host} ${hop.port}\n\n`);
      assert.equal(how, 'reset', host);
      const { error } = await node.event('failed', connection);
      assert.ok(['BAD_MESSAGE', 'PROHIBITED'].includes(error.code), `${host}: ${error.code}`);
    }
    assert.equal(node.events.filter(({ type }) => type === 'dialled').length, 0);
    await assertNotDialled();
  });
});

test('with --clients public a local client has nothing local dialled, but files are served', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 100);
  const { hop, assertNotDialled } = await lonelyServer(t);
  const node = await testNode(t, { root, clients: 'public' });
  assert.equal((await exchange(t, node.hop, `file\n127.0.0.1 ${hop.port}\n\n`)).how, 'reset');
  assert.equal((await node.event('failed')).error.code, 'PROHIBITED');
  assert.deepEqual((await exchange(t, node.hop, 'file\n\n')).bytes, bytes);
  await assertNotDialled();
});
