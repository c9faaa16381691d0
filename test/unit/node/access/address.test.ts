import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { classOfClient, classOfTarget, isMoreInward } from '#src/node/access/address.js';
import { inPrefix, parseAddress, parsePrefix } from '#src/route/address.js';
import { ADDRESSES, VIEW } from '../../../support/addresses.js';

describe('targets', () => {
  for (const [expected, addresses] of Object.entries(ADDRESSES)) {
    for (const address of addresses) {
      test(`${address} is ${expected}`, () => assert.equal(classOfTarget(address, VIEW), expected));
    }
  }

  test("this host's own addresses are ordinary ones if asked for", () => {
    assert.equal(classOfTarget('192.168.1.7', VIEW, true), 'private');
    assert.equal(
      classOfTarget('2a01:4f8::7', VIEW, true),
      'public',
      'no less public for being on its own link',
    );
    assert.equal(classOfTarget('127.0.0.1', VIEW, true), 'loopback');
    assert.equal(classOfTarget('fe80::7', VIEW, true), 'never');
  });

  test('whatever the IPv4 address, the forms that hide it are never dialled', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ipv4) => {
        const hex = ipv4.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
        const [high, low] = [`${hex[0]}${hex[1]}`, `${hex[2]}${hex[3]}`];
        const hidden = [`::ffff:${ipv4}`, `::ffff:${high}:${low}`, `::${ipv4}`, `::ffff:0:${ipv4}`];
        for (const form of [...hidden, `64:ff9b::${ipv4}`, `64:ff9b:1::${ipv4}`, `2002:${high}:${low}::1`]) {
          // `::0.0.0.1` is `::1`, loopback by another name.
          const expected = form === '::0.0.0.1' ? 'loopback' : 'never';
          assert.equal(classOfTarget(form, VIEW), expected, form);
        }
      }),
    );
  });
});

describe('clients', () => {
  for (const [address, expected] of [
    ['127.0.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['192.168.1.7', 'loopback'],
    ['192.168.1.8', 'private'],
    ['10.1.2.3', 'private'],
    ['100.64.0.1', 'private'],
    ['203.0.113.77', 'private'],
    ['fd00::1', 'private'],
    ['8.8.8.8', 'public'],
    ['2606:4700::1111', 'public'],
    // An IPv4 client of a listener for both.
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:10.1.2.3', 'private'],
    ['::ffff:8.8.8.8', 'public'],
    // The gateway may stand for anybody.
    ['192.168.1.1', 'public'],
    ['::ffff:192.168.1.1', 'public'],
    ['fe80::1', 'public'],
    ['fe80::1%eth0', 'public'],
    // What is not surely inside is outside.
    ['fe80::2', 'public'],
    ['169.254.3.4', 'public'],
    ['64:ff9b::7f00:1', 'public'],
    ['', 'public'],
    ['localhost', 'public'],
  ] as const) {
    test(`${address || 'nothing'} is ${expected}`, () =>
      assert.equal(classOfClient(address, VIEW), expected));
  }
});

test('the order of the classes', () => {
  const classes = ['loopback', 'private', 'public'] as const;
  for (const [i, target] of classes.entries()) {
    for (const [j, client] of classes.entries()) assert.equal(isMoreInward(target, client), i < j);
  }
});

describe('addresses and prefixes', () => {
  test('an address is read in its strict form only', () => {
    for (const text of [
      '127.1',
      '0177.0.0.1',
      '2130706433',
      '0x7f.1',
      '127.0.0.1.',
      '1.2.3',
      '',
      'h',
      '[::1]',
    ]) {
      assert.equal(parseAddress(text), undefined, text);
    }
    assert.equal(parseAddress('fe80::1%eth0')?.toString(), 'fe80::1');
  });

  for (const [prefix, inside, outside] of [
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
    ['10.1.2.3', '10.1.2.3', '10.1.2.4'],
    ['10.1.2.3/24', '10.1.2.255', '10.1.3.0'],
    ['0.0.0.0/0', '1.2.3.4', '::1'],
    ['::/0', '::1', '1.2.3.4'],
    ['fd00::/8', 'fdff::1', 'fc00::1'],
    ['::1', '::1', '::2'],
    ['2001:db8::/33', '2001:db8:7fff::', '2001:db8:8000::'],
  ] as const) {
    test(`${prefix} has ${inside}, and not ${outside}`, () => {
      const parsed = parsePrefix(prefix);
      const [yes, no] = [parseAddress(inside), parseAddress(outside)];
      assert.ok(parsed && yes && no);
      assert.deepEqual([inPrefix(yes, parsed), inPrefix(no, parsed)], [true, false]);
    });
  }

  for (const text of [
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10/8',
    '10.0.0.0/8/8',
    'fe80::1%eth0',
    'h/8',
    '',
  ]) {
    test(`${JSON.stringify(text)} is no prefix`, () => assert.equal(parsePrefix(text), undefined));
  }
});
