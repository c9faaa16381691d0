import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type RelayClient, parseRelayFor, relaysFor } from '#src/node/access/relay-for.js';
import { failsWell, nearlyValid } from '../../../support/arbitraries.js';
import { codeOf, thrownBy } from '../../../support/failures.js';

const LOCAL: RelayClient = { address: '127.0.0.1', observed: () => 'loopback', class: 'loopback' };
const INSIDE: RelayClient = { address: '10.1.2.3', observed: () => 'private', class: 'private' };
const OUTSIDE: RelayClient = { address: '8.8.8.8', observed: () => 'public', class: 'public' };
/** A client from outside that a relay inside has brought in. */
const BROUGHT_IN: RelayClient = { ...INSIDE, class: 'public' };
const CLIENTS = { LOCAL, INSIDE, OUTSIDE, BROUGHT_IN };

const CASES: readonly (readonly [values: readonly string[] | undefined, clients: readonly string[]])[] = [
  [undefined, ['LOCAL', 'INSIDE', 'OUTSIDE', 'BROUGHT_IN']],
  [['any'], ['LOCAL', 'INSIDE', 'OUTSIDE', 'BROUGHT_IN']],
  [['none'], []],
  [[], []],
  [['loopback'], ['LOCAL']],
  [['private'], ['LOCAL', 'INSIDE']],
  [['public'], ['LOCAL', 'INSIDE', 'OUTSIDE', 'BROUGHT_IN']],
  [
    ['private', 'loopback'],
    ['LOCAL', 'INSIDE'],
  ],
  [['10.0.0.0/8'], ['INSIDE']],
  [['10.1.2.3'], ['INSIDE']],
  [['10.1.2.4'], []],
  [['::/0'], []],
  [['0.0.0.0/0'], ['LOCAL', 'INSIDE', 'OUTSIDE']],
  [['loopback, 8.0.0.0/8'], ['LOCAL', 'OUTSIDE']],
  [
    ['Loopback', '10.0.0.0/8,9.9.9.9'],
    ['LOCAL', 'INSIDE'],
  ],
];

describe('--relay-for', () => {
  for (const [values, expected] of CASES) {
    test(`${values?.join(' ') ?? 'not given'}: ${expected.join(', ')}`, () => {
      const rules = parseRelayFor(values);
      const found = Object.entries(CLIENTS).filter(([, client]) => relaysFor(rules, client));
      assert.deepEqual(
        found.map(([name]) => name),
        expected,
      );
    });
  }

  test('an IPv6 client', () => {
    const client: RelayClient = { address: '2a01:4f9::1', observed: () => 'public', class: 'public' };
    assert.ok(relaysFor(parseRelayFor(['2a01:4f9::/32']), client));
    assert.ok(!relaysFor(parseRelayFor(['2a01:4f8::/32']), client));
  });

  for (const values of [
    ['any', 'private'],
    ['none,10.0.0.0/8'],
    [''],
    ['private,'],
    ['h1'],
    ['*'],
    ['10.0.0.0/33'],
  ])
    test(`"${values.join(' ')}" is refused`, () => {
      assert.equal(
        codeOf(() => parseRelayFor(values)),
        'USAGE',
      );
      assert.match(thrownBy(() => parseRelayFor(values))?.message ?? '', /--relay-for/);
    });

  test('any other text is refused with a reason', () => {
    fc.assert(fc.property(nearlyValid, (text) => failsWell(() => parseRelayFor([text]))));
  });

  test('a claim only ever shuts out', () => {
    const classes = fc.constantFrom('loopback', 'private', 'public');
    const rules = fc.subarray(['loopback', 'private', 'public', '10.0.0.0/8', '127.0.0.1'], { minLength: 1 });
    fc.assert(
      fc.property(rules, fc.constantFrom(LOCAL, INSIDE, OUTSIDE), classes, (values, client, claim) => {
        const order = ['loopback', 'private', 'public'];
        const outer = order.indexOf(claim) > order.indexOf(client.observed()) ? claim : client.observed();
        const relayFor = parseRelayFor(values);
        return relaysFor(relayFor, client) || !relaysFor(relayFor, { ...client, class: outer });
      }),
    );
  });
});
