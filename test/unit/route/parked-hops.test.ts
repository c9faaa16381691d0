import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Hop,
  formatHop,
  formatInput,
  formatLocation,
  parseHop,
  parseInput,
  parseLocation,
} from 'viaduct';
import { hostNameOf, parseHostName } from '#src/identity/host-name.js';
import { formatTarget, parseTarget, withMissingSlash } from '#src/route/url.js';
import { decodeMessage, encodeMessage } from '#src/wire/classic.js';
import { PIN } from '../../support/identity.js';

const H1: Hop = { host: 'h1', port: 12_000 };
const ATTIC: Hop = { parked: 'attic' };
const BY_PIN: Hop = { parked: 'AbCdEfGh_-012345' };

describe('a parked hop', () => {
  test('in a URL', () => {
    assert.deepEqual(parseTarget('/@~Attic/@h1:12000/@~AbCdEfGh_-012345/d/f'), {
      route: [ATTIC, H1, BY_PIN],
      path: '/d/f',
    });
    assert.equal(formatTarget({ route: [ATTIC, BY_PIN], path: '/f' }), '/@~attic/@~AbCdEfGh_-012345/f');
    assert.equal(withMissingSlash('/@~attic'), './@~attic/');
  });

  for (const path of [
    '/@~/f',
    '/@~-a/f',
    '/@~a.b/f',
    '/@~attic:1/f',
    '/%40~attic/f',
    `/@~${'a'.repeat(44)}/f`,
  ])
    test(`is not ${path}`, () => assert.deepEqual(parseTarget(path), { route: [], path }));

  test('in a location, with relays in front', () => {
    const location = { route: [H1, ATTIC], path: '/f' };
    assert.deepEqual(parseLocation('h1:12000/@~attic/f'), location);
    assert.deepEqual(parseLocation('~attic/f', 'h1:12000'), location);
    assert.deepEqual(parseLocation('h2:1/f', 'h1:12000,~attic').route, [H1, ATTIC, { host: 'h2', port: 1 }]);
    assert.equal(formatLocation(location), 'http://h1:12000/@~attic/f');
    assert.throws(() => parseLocation('h1:12000/@~attic:5/f'), { code: 'BAD_ROUTE' });
  });

  test('in an input file: with port 0 or without, and with a pin', () => {
    for (const line of ['~attic 0', '~attic', '  ~ATTIC\t0 '])
      assert.deepEqual(parseInput(`f\nh1 12000\n${line}\n`), { name: 'f', route: [H1, ATTIC] });
    for (const line of [`~attic 0 ${PIN}`, `~attic ${PIN}`])
      assert.deepEqual(parseInput(`f\nh1 12000\n${line}\n`), { name: 'f', route: [H1, ATTIC], pin: PIN });
    assert.equal(formatInput({ name: 'f', route: [H1, ATTIC] }), 'f\nh1 12000\n~attic 0\n');
  });

  for (const [line, message] of [
    ['~attic 80', /line 3: expected "host port"/],
    ['~a_b 0', /line 3: "~a_b" is no parked node/],
    ['~attic 0 x', /line 3: expected "host port"/],
  ] as const)
    test(`a wrong line: ${line}`, () => assert.throws(() => parseInput(`f\nh1 1\n${line}\n`), { message }));

  test('in a classic message, as two words, or one', () => {
    const message = encodeMessage({ name: 'f', route: [ATTIC, H1] }, 'public');
    assert.equal(message.toString(), 'f\n~attic 0 public\nh1 12000 public\n\n');
    assert.deepEqual(decodeMessage(message.subarray(0, -1)), {
      name: 'f',
      route: [ATTIC, H1],
      classes: ['public', 'public'],
    });
    assert.deepEqual(decodeMessage(Buffer.from('f\n~attic')).route, [ATTIC]);
    assert.throws(() => decodeMessage(Buffer.from('f\n~attic 7')), { code: 'BAD_MESSAGE' });
  });

  test('its words', () => {
    assert.equal(formatHop(parseHop('~attic', '0')), '~attic');
    assert.deepEqual(parseHop('~attic'), ATTIC);
    assert.throws(() => parseHop('~attic', '1'), { message: /"1" is not the port of ~attic/ });
  });

  test('its name in known_hosts has the route in front, also behind a public host', () => {
    const name = 'h1.example.org:12000/@~attic';
    assert.equal(hostNameOf([{ host: 'H1.example.org', port: 12_000 }, ATTIC]), name);
    assert.equal(parseHostName(name), name);
    // A public host behind it is the same host from everywhere.
    assert.equal(hostNameOf([H1, ATTIC, { host: 'h2.example.org', port: 9 }]), 'h2.example.org:9');
  });
});
