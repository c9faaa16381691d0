import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  type Decoded,
  decodeConnectReply,
  decodeLoginReply,
  decodeMethod,
  encodeConnect,
  encodeGreeting,
  encodeLogin,
} from '#src/wire/socks5.js';
import { failsWell } from '../../support/arbitraries.js';
import { thrownBy } from '../../support/failures.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const DECODERS = [decodeMethod, decodeLoginReply, decodeConnectReply] as const;

describe('messages of the client', () => {
  for (const [what, bytes, expected] of [
    ['greeting', encodeGreeting(false), '05 01 00'],
    ['greeting with a login', encodeGreeting(true), '05 02 00 02'],
    ['login', encodeLogin({ user: 'u', password: 'ü1' }), '01 01 75 03 c3bc31'],
    ['an IPv4 address', encodeConnect({ host: '10.0.0.1', port: 12_000 }), '05 01 00 01 0a000001 2ee0'],
    ['a name', encodeConnect({ host: 'h1', port: 1 }), '05 01 00 03 02 6831 0001'],
    [
      'an IPv6 address',
      encodeConnect({ host: '2001:db8::1', port: 65_535 }),
      '05 01 00 04 20010db8 00000000 00000000 00000001 ffff',
    ],
  ] as const) {
    test(what, () => assert.equal(bytes.toString('hex'), expected.replaceAll(' ', '')));
  }

  test('a login that has no byte, or too many for the byte of its length, is never sent', () => {
    for (const [user, password] of [
      ['', 'p'],
      ['u', ''],
      ['u', 'x'.repeat(256)],
    ] as const)
      assert.throws(() => encodeLogin({ user, password }), /1 to 255 bytes/);
    assert.equal(encodeLogin({ user: 'x'.repeat(255), password: 'p' }).length, 1 + 256 + 2);
  });
});

describe('messages of the proxy', () => {
  const cases: readonly (readonly [
    what: string,
    decode: (bytes: Buffer) => Decoded<unknown> | undefined,
    text: string,
    value: unknown,
  ])[] = [
    ['no login', decodeMethod, '05 00', 'none'],
    ['a login', decodeMethod, '05 02', 'password'],
    ['no method', decodeMethod, '05 ff', 'refused'],
    ['accepted', decodeLoginReply, '01 00', true],
    ['accepted, of another version', decodeLoginReply, '05 00', true],
    ['not accepted', decodeLoginReply, '01 01', false],
    ['open, with an IPv4 address', decodeConnectReply, '05 00 00 01 0a000001 2ee0', 0],
    ['open, with a name', decodeConnectReply, '05 00 00 03 02 6831 2ee0', 0],
    ['open, with a name without letters', decodeConnectReply, '05 00 00 03 00 2ee0', 0],
    ['open, with an IPv6 address', decodeConnectReply, `05 00 00 04 ${'00'.repeat(16)} 0000`, 0],
  ];
  for (const [what, decode, text, value] of cases) {
    test(`${what}: undefined at every cut, then its value, and what follows`, () => {
      const bytes = hex(text);
      for (let cut = 0; cut < bytes.length; cut += 1)
        assert.equal(decode(bytes.subarray(0, cut)), undefined, `after ${cut} bytes`);
      for (const rest of ['', 'x', 'SSH-2.0']) {
        const decoded = decode(Buffer.concat([bytes, Buffer.from(rest)]));
        assert.deepEqual([decoded?.value, decoded?.rest.toString()], [value, rest]);
      }
    });
  }

  test('a failure is known with its second byte, whatever follows', () => {
    for (const code of [1, 2, 5, 8, 9, 255])
      for (const rest of ['', '00', '00 01 00000000 0000'])
        assert.equal(decodeConnectReply(Buffer.concat([Buffer.from([5, code]), hex(rest)]))?.value, code);
  });

  test('another protocol is noticed with the first byte', () => {
    for (const decode of [decodeMethod, decodeConnectReply])
      for (const text of ['H', 'HTTP/1.1 400', '\0', '\x04'])
        assert.match(thrownBy(() => decode(Buffer.from(text)))?.message ?? '', /does not speak SOCKS 5/);
  });

  test('a method or a kind of address that does not exist is refused', () => {
    assert.match(thrownBy(() => decodeMethod(hex('05 01')))?.message ?? '', /method 1/);
    assert.match(thrownBy(() => decodeConnectReply(hex('05 00 00 02')))?.message ?? '', /address \(2\)/);
  });

  test('any bytes have a value, are incomplete, or fail well', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all));
    fc.assert(
      fc.property(bytes, fc.constantFrom(...DECODERS), (all, decode) =>
        failsWell(() => decode(Buffer.concat([Buffer.from([5]), all]))),
      ),
    );
  });
});
