import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { formatHop, formatInput, parseHop, parseHost, parseInput, parsePort, visible } from 'viaduct';
import { limitHops } from '#src/route/hop.js';
import { anyCharacter, failsWell, PLAIN, hops, nearlyValid, names } from '../../support/arbitraries.js';
import { REFUSED_HOSTS } from '../../support/refused-hosts.js';

describe('a host', () => {
  test('is a name, an IPv4 address in four decimal parts or an IPv6 address', () => {
    const accepted = ['h', 'pchost1', 'a.b-c.d_e', 'EXAMPLE.org', '1a', '9.a', 'x'.repeat(63), '127.0.0.1'];
    for (const host of [...accepted, '0.0.0.0', '::', '::1', '::ffff:1.2.3.4', 'fe80::1%eth0']) {
      assert.equal(parseHost(host), host);
    }
  });

  test('loses the brackets around an IPv6 address', () => {
    assert.equal(parseHost('[2001:db8::1]'), '2001:db8::1');
  });

  for (const host of REFUSED_HOSTS) {
    test(`is not ${JSON.stringify(host.slice(0, 40))}`, () => assert.equal(parseHost(host), undefined));
  }
});

describe('a port', () => {
  test('is plain decimal from 1, or from another lowest, to 65535', () => {
    assert.deepEqual(
      ['1', '80', '00080', '65535'].map((text) => parsePort(text)),
      [1, 80, 80, 65_535],
    );
    assert.equal(parsePort('0', 0), 0);
    assert.equal(parsePort('1023', 1024), undefined);
  });

  for (const text of ['', '0', '65536', '99999', '000080', '-1', '+1', '1.0', '1e3', '0x50', ' 80', '８０']) {
    test(`is not ${JSON.stringify(text)}`, () => assert.equal(parsePort(text), undefined));
  }
});

describe('a hop', () => {
  test('says which of its words is wrong', () => {
    assert.throws(() => parseHop('127.1', '80'), { code: 'BAD_ROUTE', message: /"127\.1" is not a host/ });
    assert.throws(() => parseHop('h', '0'), { code: 'BAD_ROUTE', message: /"0" is not a port/ });
  });

  test('is written with brackets around an IPv6 address only', () => {
    assert.equal(formatHop({ host: '::1', port: 1 }), '[::1]:1');
    assert.equal(formatHop({ host: 'h', port: 65_535 }), 'h:65535');
  });

  test('format and parse are inverse', () => {
    fc.assert(
      fc.property(hops, (hop) => {
        const text = formatHop(hop);
        const colon = text.lastIndexOf(':');
        assert.deepEqual(parseHop(text.slice(0, colon), text.slice(colon + 1)), hop);
      }),
    );
  });
});

const PIN = `sha256//${Buffer.alloc(32).toString('base64')}`;

describe('an input file', () => {
  test('is the name, then a line for each hop', () => {
    assert.deepEqual(parseInput('a file\npchost1 12000\npchost2 11000\npchost1 12000\n'), {
      name: 'a file',
      route: [
        { host: 'pchost1', port: 12_000 },
        { host: 'pchost2', port: 11_000 },
        { host: 'pchost1', port: 12_000 },
      ],
    });
  });

  for (const [what, text] of [
    ['CRLF', 'f\r\nh 1\r\n'],
    ['no line end at the end', 'f\nh 1'],
    ['blank lines', '\n \r\nf\n\n\t\nh 1\n\n'],
    ['a byte-order mark', '\uFEFFf\nh 1\n'],
    ['tabs and spaces around the words', 'f\n \th \t 1 \n'],
  ] as const) {
    test(`may have ${what}`, () => {
      assert.deepEqual(parseInput(text), { name: 'f', route: [{ host: 'h', port: 1 }] });
    });
  }

  test('may have the pin of the origin at its end', () => {
    assert.deepEqual(parseInput(`f\nh1 1\nh2 2\t${PIN} \r\n\n`), {
      name: 'f',
      route: [
        { host: 'h1', port: 1 },
        { host: 'h2', port: 2 },
      ],
      pin: PIN,
    });
  });

  test('keeps spaces of a name', () => assert.equal(parseInput('  a  b \nh 1').name, '  a  b '));

  test('takes IPv6 hosts with and without brackets', () => {
    const expected = [
      { host: '::1', port: 1 },
      { host: 'fd00::2', port: 2 },
    ];
    assert.deepEqual(parseInput('f\n::1 1\n[fd00::2] 2').route, expected);
  });

  for (const [text, message] of [
    ['', /line 1: the file name/],
    ['\uFEFF\n \n', /line 1: the file name/],
    ['f', /line 2: .*host port/],
    ['f\0\nh 1', /line 1: .*NUL/],
    ['f\n\nh', /line 3: .*"host port".*h/],
    ['f\nh 1\nh 1 2', /line 3: expected "host port"/],
    [
      'f\nh 1\nh 1 sha256//2',
      /line 3: "sha256\/\/2" is not a pin; expected sha256\/\/ and 44 characters of base64$/,
    ],
    [`f\nh 1 ${PIN}\nh 1`, /line 3: only the last hop can have a pin, but an earlier line has one/],
    [`f\nh 1 ${PIN}\n\nh 1 ${PIN}`, /line 4: only the last hop can have a pin/],
    [`f\nh 1 ${PIN} x`, /line 2: expected "host port"/],
    [`f\nh 1 ${PIN.slice(0, -1)}`, /line 2: "sha256\S+" is not a pin/],
    [`f\nh 0 ${PIN}`, /line 2: "0" is not a port/],
    ['f\nh 1\n\r\nh 0', /line 4: "0" is not a port/],
    ['f\n127.1 80', /line 2: "127\.1" is not a host/],
    ['f\n\u001b[2J 80', /line 2: "\\x1b\[2J" is not a host/],
  ] as const) {
    test(`names the line that is wrong in ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseInput(text), { code: 'BAD_ROUTE', message });
    });
  }

  test('format and parse are inverse', () => {
    const pin = fc.constant(PIN);
    const route = fc.array(hops, { minLength: 1, maxLength: 20 });
    const sources = fc.record({ name: names, route, pin }, { ...PLAIN, requiredKeys: ['name', 'route'] });
    fc.assert(fc.property(sources, (source) => assert.deepEqual(parseInput(formatInput(source)), source)));
  });
});

test('a route has at most as many hops as allowed', () => {
  const route = Array.from({ length: 3 }, () => ({ host: 'h', port: 1 }));
  limitHops(route, 3);
  assert.throws(() => limitHops(route, 2), {
    code: 'TOO_MANY_HOPS',
    message: /the route has 3 hops; at most 2 are allowed \(--max-hops\)/,
  });
});

test('whatever the text, nothing but a ViaductError is thrown', () => {
  const texts = fc.oneof(nearlyValid, fc.string({ unit: anyCharacter }));
  fc.assert(fc.property(texts, (text) => failsWell(() => parseInput(text))));
  fc.assert(fc.property(texts, texts, (host, port) => failsWell(() => parseHop(host, port))));
});

describe('text from elsewhere', () => {
  test('is shown without control characters, line ends and changes of direction', () => {
    assert.equal(visible('a\u001b[2J\n\u009b\u202e\u2028é😀'), 'a\\x1b[2J\\x0a\\x9b\\u{202e}\\u{2028}é😀');
  });

  test('is cut where it is long', () => assert.equal(visible('x'.repeat(300)), `${'x'.repeat(200)}…`));

  test('never keeps a character that drives a terminal', () => {
    const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;
    fc.assert(fc.property(fc.string({ unit: anyCharacter }), (text) => !unsafe.test(visible(text))));
  });
});
