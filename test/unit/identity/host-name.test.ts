import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type Route, parseLocation } from 'viaduct';
import { hostNameOf, parseHostName } from '#src/identity/host-name.js';
import { ADDRESSES } from '../../support/addresses.js';
import { hops } from '../../support/arbitraries.js';

/** Unlike a URL, `-J` and input files take an address with a zone. */
const routeOf = (text: string): Route => {
  const relays = text.split('/@');
  const last = relays.pop() ?? '';
  return parseLocation(last, relays.length === 0 ? undefined : relays.join(',')).route;
};

const nameBehind = (host: string): string =>
  hostNameOf([
    { host: 'h1', port: 2 },
    { host, port: 1 },
  ]);

describe('the name of an origin in known_hosts', () => {
  for (const [where, name] of [
    ['h2.example:11000', 'h2.example:11000'],
    ['h1:12000/@h2.example:11000', 'h2.example:11000'],
    ['h1:12000/@H2.Example.COM:11000', 'h2.example.com:11000'],
    ['h1:12000/@8.8.8.8:11000', '8.8.8.8:11000'],
    ['h1:12000/@[2A01:04F8:0:0::7]:11000', '[2a01:4f8::7]:11000'],
    ['10.0.0.5:11000', '10.0.0.5:11000'],
    ['h1:12000/@10.0.0.5:11000', 'h1:12000/@10.0.0.5:11000'],
    ['H1:12000/@H3:9000/@10.0.0.5:11000', 'h1:12000/@h3:9000/@10.0.0.5:11000'],
    ['r.example:12000/@10.0.0.5:11000', 'r.example:12000/@10.0.0.5:11000'],
    ['h1:12000/@[::1]:11000', 'h1:12000/@[::1]:11000'],
    ['h1:12000/@[0:0:0:0:0:0:0:1]:11000', 'h1:12000/@[::1]:11000'],
    ['h1:12000/@[::ffff:8.8.8.8]:11000', 'h1:12000/@[::ffff:808:808]:11000'],
    ['h1:12000/@[FE80::1%eth0]:11000', 'h1:12000/@[fe80::1%eth0]:11000'],
    ['h1:12000/@h2:11000', 'h1:12000/@h2:11000'],
    ['h1:12000/@localhost:11000', 'h1:12000/@localhost:11000'],
    ['h1:12000/@nas.local:11000', 'h1:12000/@nas.local:11000'],
    ['h1:12000/@NAS.LAN:11000', 'h1:12000/@nas.lan:11000'],
    ['h1:12000/@a.home.arpa:11000', 'h1:12000/@a.home.arpa:11000'],
    ['h1:12000/@vm.corp.internal:11000', 'h1:12000/@vm.corp.internal:11000'],
    ['h1:12000/@notlocal.example:11000', 'notlocal.example:11000'],
  ] as const) {
    test(`${where} is kept as ${name}`, () => {
      assert.equal(hostNameOf(routeOf(where)), name);
      assert.equal(parseHostName(where), name);
      assert.equal(parseHostName(name), name);
    });
  }

  test('has the route in front of every address that is not public', () => {
    for (const address of [...ADDRESSES.private, ...ADDRESSES.never]) {
      // Public, but in the network of the host of the table.
      if (address === '2a01:4f8::8' || isIP(address) === 0) continue;
      assert.ok(nameBehind(address).startsWith('h1:2/@'), address);
    }
    for (const address of ADDRESSES.public) assert.ok(!nameBehind(address).includes('h1'), address);
  });

  test('is canonical for each route', () => {
    const routes = fc.array(hops, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(routes, (route) => {
        const name = hostNameOf(route);
        assert.equal(parseHostName(name), name);
        assert.equal(name, name.toLowerCase());
        assert.match(name, /^\S+$/);
      }),
    );
  });

  for (const text of [
    '',
    'h1',
    'h1:1/file',
    'h1:1/@',
    'h1:1/',
    '::1:1',
    '[::1',
    'h1:1//@h2:1',
    'https://h1:1',
    'h1:1?x',
    '#:1',
    'user@h:1',
  ])
    test(`${JSON.stringify(text)} is none`, () =>
      assert.throws(() => parseHostName(text), { code: 'BAD_ROUTE' }));
});
