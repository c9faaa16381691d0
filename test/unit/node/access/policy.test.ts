import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { formatHop, parseHost } from 'viaduct';
import { Policy, type PolicyOptions } from '#src/node/access/policy.js';
import { parseHopRule } from '#src/node/access/rules.js';
import { ADDRESSES, VIEW } from '../../../support/addresses.js';
import { failsWell, nearlyValid } from '../../../support/arbitraries.js';
import { codeOf, thrownBy } from '../../../support/failures.js';

const CLASSES = ['loopback', 'private', 'public'] as const;
const OWN_PORT = 12_000;

function policyWith(rules: readonly string[] = [], more: Partial<PolicyOptions> = {}): Policy {
  return new Policy({
    allowHops: rules.map(parseHopRule),
    clients: 'observed',
    view: () => VIEW,
    ownPort: OWN_PORT,
    ...more,
  });
}

/** Whether a client of that class may have a hop dialled. */
function verdict(
  policy: Policy,
  client: (typeof CLASSES)[number],
  host: string,
  port = 9000,
  addresses = [host],
) {
  return codeOf(() => policy.check(client, { host, port }, addresses));
}

describe('by default', () => {
  for (const client of CLASSES) {
    for (const target of CLASSES) {
      const expected = CLASSES.indexOf(target) < CLASSES.indexOf(client) ? 'PROHIBITED' : 'allowed';
      test(`a ${client} client, a ${target} target: ${expected}`, () => {
        for (const address of ADDRESSES[target])
          assert.equal(verdict(policyWith(), client, address), expected, address);
      });
    }

    test(`a ${client} client, an address that is never dialled`, () => {
      for (const address of ADDRESSES.never) {
        assert.equal(verdict(policyWith(), client, address), 'PROHIBITED', address);
      }
    });
  }

  test('ports below 1024 are prohibited', () => {
    const ports = [1, 22, 80, 443, 1023, 1024, 65_535].map((port) =>
      verdict(policyWith(), 'loopback', '8.8.8.8', port),
    );
    assert.deepEqual(ports, [...Array<string>(5).fill('PROHIBITED'), 'allowed', 'allowed']);
  });

  test('one bad address refuses a name, wherever it stands', () => {
    for (const addresses of [
      ['8.8.8.8', '10.0.0.1'],
      ['10.0.0.1', '8.8.8.8'],
      ['8.8.8.8', '2606:4700::1111', '::ffff:7f00:1'],
    ]) {
      assert.equal(verdict(policyWith(), 'public', 'name', 9000, addresses), 'PROHIBITED');
    }
    assert.equal(verdict(policyWith(), 'public', 'name', 9000, ['8.8.8.8', '2606:4700::1111']), 'allowed');
  });

  test("this host's own addresses are loopback, but for this node's own port", () => {
    assert.equal(verdict(policyWith(), 'private', '192.168.1.7', 9000), 'PROHIBITED');
    assert.equal(verdict(policyWith(), 'private', '192.168.1.7', OWN_PORT), 'allowed');
    assert.equal(verdict(policyWith(), 'private', '127.0.0.1', OWN_PORT), 'PROHIBITED');
    assert.equal(verdict(policyWith(), 'public', '192.168.1.7', OWN_PORT), 'PROHIBITED');
  });

  test('the networks are looked at anew at each decision', () => {
    let own: string[] = [];
    const policy = policyWith([], { view: () => ({ own, gateways: [] }) });
    assert.equal(verdict(policy, 'public', '9.9.9.9'), 'allowed');
    own = ['9.9.9.9/24'];
    assert.equal(verdict(policy, 'public', '9.9.9.9'), 'PROHIBITED');
  });
});

describe('the class of a client', () => {
  test('is seen by its address', () => {
    const seen = ['127.0.0.1', '192.168.1.8', '192.168.1.1', '8.8.8.8'].map((client) =>
      policyWith().classOf(client),
    );
    assert.deepEqual(seen, ['loopback', 'private', 'public', 'public']);
  });

  test('is public for all with --clients public', () => {
    const policy = policyWith([], { clients: 'public' });
    for (const client of ['127.0.0.1', '::1', '192.168.1.8', '8.8.8.8'])
      assert.equal(policy.classOf(client), 'public');
  });
});

/** What a rule says of `host:port`. */
function verdictOn(rule: string, hop: string) {
  const colon = hop.lastIndexOf(':');
  const host = parseHost(hop.slice(0, colon)) ?? assert.fail(hop);
  // A name stands for a machine of the inside.
  const addresses = isIP(host) === 0 ? ['10.77.0.1'] : [host];
  return verdict(policyWith([rule]), 'public', host, Number(hop.slice(colon + 1)), addresses);
}

describe('rules', () => {
  for (const [rule, allowed, prohibited] of [
    ['h1', ['h1:1', 'H1:65535'], ['h2:9000', 'a.h1:9000', 'h11:9000']],
    ['H1:9000', ['h1:9000'], ['h1:9001', 'h2:9000']],
    ['h1:9000-9010', ['h1:9000', 'h1:9010'], ['h1:8999', 'h1:9011']],
    [
      '*.example.org',
      ['a.example.org:22', 'A.B.EXAMPLE.org:22'],
      ['example.org:22', 'xexample.org:22', 'a.example.org.evil:22'],
    ],
    ['*.example.org:443', ['a.example.org:443'], ['a.example.org:442']],
    ['10.0.0.0/8', ['10.1.2.3:22', '10.255.255.255:9000'], ['11.0.0.1:9000', '127.0.0.1:9000']],
    ['10.0.0.0/8:9000-9001', ['10.1.2.3:9001'], ['10.1.2.3:9002']],
    ['10.1.2.3', ['10.1.2.3:22'], ['10.1.2.4:22']],
    ['10.1.2.3:22', ['10.1.2.3:22'], ['10.1.2.3:23']],
    ['127.0.0.0/8', ['127.0.0.1:22'], ['10.1.2.3:9000']],
    ['0.0.0.0/0', ['8.8.8.8:1', '127.0.0.1:1'], ['[2606:4700::1111]:9000']],
    ['fd00::/8', ['[fd00::1]:22'], ['[fc00::1]:22', '10.1.2.3:22']],
    ['[fd00::/8]:22', ['[fd00::1]:22'], ['[fd00::1]:23']],
    ['[::1]:9000-9001', ['[::1]:9000', '[0:0::1]:9001'], ['[::1]:9002', '127.0.0.1:9000']],
    ['::1', ['[::1]:22'], ['[::2]:22']],
  ] as const) {
    test(rule, () => {
      for (const hop of allowed) assert.equal(verdictOn(rule, hop), 'allowed', hop);
      for (const hop of prohibited) assert.equal(verdictOn(rule, hop), 'PROHIBITED', hop);
    });
  }

  test('replace the defaults: what no rule names is prohibited, even outside', () => {
    assert.equal(verdict(policyWith(['h1']), 'loopback', '8.8.8.8'), 'PROHIBITED');
  });

  test('add up', () => {
    const policy = policyWith(['h1', '10.0.0.0/8']);
    assert.equal(verdict(policy, 'public', 'h1', 22, ['127.0.0.1']), 'allowed');
    assert.equal(verdict(policy, 'public', '10.1.2.3'), 'allowed');
  });

  test('of addresses hold for each address of a name', () => {
    const policy = policyWith(['10.0.0.0/8']);
    assert.equal(verdict(policy, 'public', 'name', 22, ['10.0.0.1', '10.0.0.2']), 'allowed');
    assert.equal(verdict(policy, 'public', 'name', 22, ['10.0.0.1', '127.0.0.1']), 'PROHIBITED');
  });

  test('never open what is never dialled', () => {
    const policy = policyWith(['name', '0.0.0.0/0', '::/0']);
    for (const address of ADDRESSES.never)
      assert.equal(verdict(policy, 'loopback', 'name', 9000, [address]), 'PROHIBITED', address);
  });

  for (const text of [
    '',
    '*',
    '*.',
    'h:',
    'h:0',
    'h:65536',
    'h:2-1',
    'h:1-',
    'h:1-2-3',
    'h:a',
    'h/8',
    '10.0.0.0/33',
    '127.1',
    '*.1',
    '[::1',
    '[::1]x',
    '*.*.org',
    'a b',
    '::/129',
    '*.::1',
    'fd00::/8:22',
    '[h]',
    '[h]:22',
  ]) {
    test(`${JSON.stringify(text)} is no rule`, () => {
      assert.throws(() => parseHopRule(text), { code: 'USAGE', message: /is not a rule/ });
    });
  }

  test('whatever the text, nothing but a ViaductError is thrown', () => {
    fc.assert(fc.property(nearlyValid, (text) => failsWell(() => parseHopRule(text))));
  });
});

describe('a refusal', () => {
  test('names a rule that would allow the hop, for every client and address', () => {
    for (const client of CLASSES) {
      for (const host of [...ADDRESSES.loopback, ...ADDRESSES.private, ...ADDRESSES.public, 'name']) {
        for (const [policy, port] of [
          [policyWith(), 22],
          [policyWith(), 9000],
          [policyWith(['nobody']), 9000],
        ] as const) {
          const hop = { host, port };
          const addresses = host === 'name' ? ['10.0.0.1', '127.0.0.1'] : [host];
          const refusal = thrownBy(() => policy.check(client, hop, addresses));
          if (!refusal) continue;
          assert.equal(refusal.hopAddress, formatHop(hop));
          const rule = /--allow-hop (\S+) would allow it \(and, as any rule, replace the default\)$/.exec(
            refusal.message,
          )?.[1];
          assert.ok(rule !== undefined, refusal.message);
          policyWith([rule]).check(client, hop, addresses);
        }
      }
    }
  });

  test('names none where nothing would', () => {
    const refusal = thrownBy(() =>
      policyWith().check('loopback', { host: 'h', port: 9000 }, ['169.254.169.254']),
    );
    assert.match(refusal?.message ?? '', /it is an address that a relay never dials$/);
  });
});
