import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Hop, parseHop } from 'viaduct';
import { Policy } from '#src/node/access/policy.js';
import { parseRelayFor } from '#src/node/access/relay-for.js';
import { parseDenyRule, parseHopRule } from '#src/node/access/rules.js';
import { VIEW } from '../../../support/addresses.js';
import { codeOf, thrownBy } from '../../../support/failures.js';

function policyWith(
  denyHops: readonly string[],
  allowHops: readonly string[] = [],
  relayFor?: string,
): Policy {
  return new Policy({
    allowHops: allowHops.map(parseHopRule),
    denyHops: denyHops.map(parseDenyRule),
    ...(relayFor !== undefined && { relayFor: parseRelayFor([relayFor]) }),
    clients: 'observed',
    view: () => VIEW,
    ownPort: 12_000,
  });
}

const DENIED = /^hop 2 is prohibited: a --deny-hop rule names it$/;

describe('--deny-hop', () => {
  for (const [rule, host, port, addresses, isDenied] of [
    ['nas', 'nas', 9000, ['10.0.0.1'], true],
    ['nas', 'NAS', 9000, ['10.0.0.1'], true],
    ['nas', 'nas.lab.example', 9000, ['10.0.0.1'], false],
    ['*.lab.example', 'a.lab.example', 9000, ['8.8.8.8'], true],
    ['nas:9000', 'nas', 9001, ['10.0.0.1'], false],
    ['nas:9000-9001', 'nas', 9001, ['10.0.0.1'], true],
    ['10.0.0.0/8', 'nas', 9000, ['10.0.0.1'], true],
    ['10.0.0.0/8', 'nas', 9000, ['192.168.0.1', '10.0.0.1'], true],
    ['10.0.0.0/8', '10.0.0.1', 9000, ['10.0.0.1'], true],
    ['10.0.0.0/8', 'nas', 9000, ['192.168.0.1'], false],
    ['fc00::/7', 'nas', 9000, ['192.168.0.1', 'fc00::1'], true],
    ['[fc00::/7]:22', 'nas', 9000, ['fc00::1'], false],
    ['127.0.0.1:12000', '127.0.0.1', 12_000, ['127.0.0.1'], true],
  ] as const) {
    test(`${rule} ${isDenied ? 'refuses' : 'leaves'} ${host}:${port} at ${addresses.join()}`, () => {
      // With rules that allow it, and without any.
      for (const allowed of [[], [host], ['0.0.0.0/0', '::/0']]) {
        const refusal = thrownBy(() =>
          policyWith([rule], allowed).check('loopback', { host, port }, addresses, 'hop 2'),
        );
        if (isDenied) assert.match(refusal?.message ?? '', DENIED);
        else assert.equal(refusal, undefined);
      }
    });
  }

  test('a name is refused before it is looked up, and an address as it is written', () => {
    const policy = policyWith(['nas', '10.0.0.0/8', '~attic']);
    const verdicts = ['nas', '10.0.0.1', 'other', '11.0.0.1'].map((host) =>
      codeOf(() => policy.checkName({ host, port: 9000 }, 'hop 2')),
    );
    assert.deepEqual(verdicts, ['PROHIBITED', 'PROHIBITED', 'allowed', 'allowed']);
  });

  test('a parked node is refused by name or pin, whichever the route has', () => {
    const pin = 'sha256//8mmoTGTOViK8lBm02ujirnCk28hwOuF7dxIP+2l4VNk=';
    const attic = { name: 'attic', pin };
    const hops: Hop[] = ['~attic', '~8mmoTGTOViK8lBm0', '~8mmoTGTOViK8lBm02ujirnCk'].map((text) =>
      parseHop(text),
    );
    for (const rule of ['~attic', '~ATTIC', '~8mmoTGTOViK8lBm02']) {
      const policy = policyWith([rule]);
      for (const hop of hops)
        assert.equal(
          codeOf(() => policy.checkName(hop, 'hop 2', attic)),
          'PROHIBITED',
        );
      const other = { name: 'cellar', pin: `sha256//A${pin.slice(9)}` };
      assert.equal(
        codeOf(() => policy.checkName({ parked: 'cellar' }, 'hop 2', other)),
        'allowed',
      );
      assert.equal(
        codeOf(() => policy.checkName({ parked: 'cellar' }, 'hop 2')),
        'allowed',
      );
    }
    assert.equal(
      codeOf(() => policyWith(['~attic']).checkName({ parked: 'attic' }, 'hop 2')),
      'PROHIBITED',
    );
    assert.equal(
      codeOf(() => policyWith(['attic', '*.a']).checkName({ parked: 'attic' }, 'hop 2')),
      'allowed',
    );
  });

  for (const text of ['~', '~a b', '~attic:1', '', '10.0.0.0/33', 'h:9-1'])
    test(`"${text}" is no rule`, () =>
      assert.equal(
        codeOf(() => parseDenyRule(text)),
        'USAGE',
      ));
});

test('a policy in words: for everyone without names, for the operator with them', () => {
  for (const [policy, summary, description] of [
    [
      policyWith([]),
      'never further inward than the client',
      'for all clients, never further inward than the client',
    ],
    [policyWith(['h'], [], 'none'), 'for no client', 'for no client'],
    [
      policyWith(['nas'], ['h'], 'private,8.8.8.8'),
      'for some clients, to hops that the operator has named',
      'for clients of private,8.8.8.8, to hops that the operator has named, except to what --deny-hop names',
    ],
  ] as const) {
    assert.equal(policy.summary, summary);
    assert.equal(policy.description, description);
  }
});
