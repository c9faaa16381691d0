import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ViaductError } from 'viaduct';
import * as fc from 'fast-check';
import { CLASSES, isMoreInward, outermost } from '#src/node/access/address.js';
import {
  CLOSE,
  claimedClass,
  forwardedFields,
  hopNumberOf,
  interimFields,
  passedFields,
} from '#src/node/http/fields.js';
import { unreadableRequest } from '#src/node/http/request.js';
import type { Field, RequestHead } from '#src/wire/http/head.js';

const NEXT = { host: '::1', port: 12_000 };

function requestWith(fields: readonly Field[], minor = 1): RequestHead {
  return { method: 'GET', target: '/', minor, fields };
}

/** Names in lower case, as a set has them. */
const namesOf = (fields: readonly Field[]): readonly string[] =>
  fields.map(([name]) => name.toLowerCase()).toSorted();

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

const HOP_BY_HOP = ['Connection', 'Keep-Alive', 'Proxy-Connection', 'Upgrade'] as const;

describe('the number of a node', () => {
  for (const [via, number] of [
    [[], 1],
    [['1.1 viaduct'], 2],
    [['1.0 viaduct, 1.1 viaduct'], 3],
    [['1.1 viaduct', '1.1 viaduct,1.1 viaduct'], 4],
    [['HTTP/1.1 viaduct'], 2],
    // Others on the way have no number.
    [['1.1 squid', '1.1 viaduct', '2 h:80 (nginx)'], 2],
    [['1.1 viaducts', '1.1 my-viaduct', 'viaduct'], 1],
  ] as const) {
    test(`is ${number} after Via ${JSON.stringify(via)}`, () => {
      const request = requestWith(via.map((value, index) => [index === 0 ? 'Via' : 'VIA', value]));
      assert.equal(hopNumberOf(request), number);
      // And one more at the next node.
      assert.equal(
        hopNumberOf(requestWith(forwardedFields(request, NEXT, 'public', TRACE, [CLOSE]))),
        number + 1,
      );
    });
  }

  test('is 1 where no request could be read', () => {
    const error = new ViaductError('HEAD_TOO_LARGE', 'x');
    const { hopNumber, isHead, keepAlive } = unreadableRequest(Buffer.from('HEAD /a'), error);
    assert.deepEqual([hopNumber, isHead, keepAlive], [1, true, false]);
  });
});

describe('the class of the client', () => {
  for (const [claims, expected] of [
    [[], undefined],
    [['loopback'], 'loopback'],
    [['private'], 'private'],
    [['public'], 'public'],
    // What is not understood counts as the outermost.
    [['Loopback'], 'public'],
    [[''], 'public'],
    [['loopback, loopback'], 'public'],
    [['loopback', 'loopback'], 'public'],
    [['never'], 'public'],
  ] as const) {
    test(`claimed by ${JSON.stringify(claims)} is ${expected}`, () => {
      assert.equal(claimedClass(requestWith(claims.map((claim) => ['VIADUCT-client', claim]))), expected);
    });
  }

  test('only ever moves outward from node to node, whatever is claimed', () => {
    const claim = fc.oneof(fc.constantFrom(...CLASSES), fc.string());
    fc.assert(
      fc.property(
        fc.option(claim),
        fc.array(fc.constantFrom(...CLASSES), { minLength: 1 }),
        (first, observed) => {
          let request = requestWith(first === null ? [] : [['Viaduct-Client', first]]);
          let before: (typeof CLASSES)[number] | undefined;
          for (const seen of observed) {
            const claimed = claimedClass(request);
            const now = claimed === undefined ? seen : outermost(claimed, seen);
            assert.equal(isMoreInward(now, seen), false);
            if (before !== undefined) assert.equal(isMoreInward(now, before), false);
            before = now;
            request = requestWith(forwardedFields(request, NEXT, now, TRACE, [CLOSE]));
            assert.equal(request.fields.filter(([name]) => name === 'Viaduct-Client').length, 1);
          }
        },
      ),
    );
  });
});

const ended = (fields: readonly Field[]): Field[] => passedFields(fields, 1, CLOSE);

describe('a request that goes on', () => {
  test('has one Host, Via, class and Connection, and what the client asks for', () => {
    const fields: Field[] = [
      ['Host', 'h1'],
      ['Range', 'bytes=0-'],
      ['via', '1.1 a'],
      ['If-Match', '"x"'],
      ['viaduct-client', 'loopback'],
    ];
    const forwarded = forwardedFields(requestWith(fields, 0), NEXT, 'private', TRACE, [CLOSE]);
    const [trace] = forwarded.splice(5, 1);
    assert.match(trace?.join(': ') ?? '', new RegExp(`^traceparent: 00-${TRACE}-[0-9a-f]{16}-01$`));
    assert.deepEqual(forwarded, [
      ['Host', '[::1]:12000'],
      ['Range', 'bytes=0-'],
      ['If-Match', '"x"'],
      ['Via', '1.1 a, 1.0 viaduct'],
      ['Viaduct-Client', 'private'],
      ['Connection', 'close'],
    ]);
  });

  for (const name of [
    ...HOP_BY_HOP,
    'TE',
    'Trailer',
    'Proxy-Authorization',
    'Cookie',
    'AUTHORIZATION',
    'Expect',
    'Content-Length',
  ]) {
    test(`has lost ${name}`, () => {
      const forwarded = forwardedFields(requestWith([[name, 'x-value']]), NEXT, 'public', TRACE, [CLOSE]);
      assert.deepEqual(namesOf(forwarded), ['connection', 'host', 'traceparent', 'via', 'viaduct-client']);
      assert.ok(forwarded.every(([, value]) => value !== 'x-value'));
    });
  }

  test('has lost what Connection names, but never what a node adds (RFC 9110 §7.6.1)', () => {
    const fields: Field[] = [
      ['Connection', 'close, X-One ,host'],
      ['connection', 'X-TWO, via, Viaduct-Client'],
      ['x-one', '1'],
      ['X-Two', '2'],
      ['X-Three', '3'],
      ['Via', '1.1 viaduct'],
      ['Viaduct-Client', 'public'],
    ];
    const forwarded = forwardedFields(requestWith(fields), NEXT, 'public', TRACE, [CLOSE]);
    assert.equal(namesOf(forwarded).join(), 'connection,host,traceparent,via,viaduct-client,x-three');
    assert.equal(hopNumberOf(requestWith(forwarded)), 3);
  });
});

describe('a reply that goes back', () => {
  const END: readonly Field[] = [
    ['Date', 'x'],
    ['Via', '1.1 viaduct'],
    ['Connection', 'close'],
  ];

  test('keeps its framing, even if Connection names it', () => {
    for (const field of [
      ['Content-Length', '4'],
      ['Transfer-Encoding', 'chunked'],
    ] as const) {
      const fields: Field[] = [field, ['Date', 'x'], ['Connection', `${field[0]}, X-Own`], ['x-own', '1']];
      assert.deepEqual(ended(fields), [field, ...END]);
    }
  });

  for (const name of [...HOP_BY_HOP, 'Set-Cookie', 'set-cookie2', 'Service-Worker-Allowed', 'Viaduct']) {
    test(`has lost ${name}`, () =>
      assert.deepEqual(
        ended([
          [name, 'x'],
          ['Date', 'x'],
        ]),
        END,
      ));
  }

  for (const name of ['Content-Security-Policy', 'X-Content-Type-Options', 'Referrer-Policy']) {
    test(`has not the next hop's ${name}`, () => {
      assert.deepEqual(
        ended([
          [name, 'x'],
          ['Date', 'x'],
        ]),
        END,
      );
    });
  }

  test('keeps errors as they are, and several fields of one name', () => {
    const fields: Field[] = [
      ['Proxy-Status', 'viaduct;error=dns_error'],
      ['ETag', '1'],
      ['ETag', '2'],
      ['Retry-After', '1'],
    ];
    assert.deepEqual(ended([...fields, ['Date', 'x']]), [...fields, ...END]);
  });

  test('has a Date, ours if it had none (RFC 9110 §6.6.1)', () => {
    const [[name, value] = []] = ended([]);
    assert.equal(name, 'Date');
    assert.ok(Number.isFinite(Date.parse(value ?? '')));
  });

  test('counts nodes in Via, the one next to us first', () => {
    assert.deepEqual(
      passedFields(
        [
          ['Via', '1.0 a'],
          ['via', '1.1 viaduct'],
          ['Date', 'x'],
        ],
        0,
        CLOSE,
      ),
      [
        ['Date', 'x'],
        ['Via', '1.0 a, 1.1 viaduct, 1.0 viaduct'],
        ['Connection', 'close'],
      ],
    );
  });

  test('in the interim says nothing of the connection', () => {
    const fields: Field[] = [
      ['Link', '<x>'],
      ['Connection', 'X-Own'],
      ['X-Own', '1'],
      ['Set-Cookie', 'a=b'],
    ];
    assert.deepEqual(interimFields(fields, 1), [
      ['Via', '1.1 viaduct'],
      ['Viaduct', '1'],
    ]);
  });
});
