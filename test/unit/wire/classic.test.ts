import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { decodeMessage, encodeMessage, scanMessage } from '#src/wire/classic.js';
import { failsWell, nearlyValid, requests } from '../../support/arbitraries.js';

const H1 = { host: 'h1', port: 1 };
const H2 = { host: '::2', port: 2 };

describe('encoding', () => {
  test('writes the name, a line for each hop and an empty line', () => {
    assert.equal(encodeMessage({ name: 'a file', route: [H1, H2] }).toString(), 'a file\nh1 1\n::2 2\n\n');
    assert.equal(encodeMessage({ name: 'ä', route: [] }).toString(), 'ä\n\n');
  });

  test('stops at 4,096 bytes, the empty line included', () => {
    assert.equal(encodeMessage({ name: 'x'.repeat(4094), route: [] }).length, 4096);
    for (const name of ['x'.repeat(4095), 'é'.repeat(2048)]) {
      assert.throws(() => encodeMessage({ name, route: [] }), { code: 'MESSAGE_TOO_LONG' });
    }
  });

  // A name with a line break once became a name and a hop: the file of another host was asked for.
  for (const name of ['a\nh1 1', 'a\n', '\na', '', 'a\0b', 'a\r', '\r']) {
    test(`refuses a name that the wire cannot carry: ${JSON.stringify(name)}`, () => {
      assert.throws(() => encodeMessage({ name, route: [] }), { code: 'BAD_ROUTE' });
    });
  }

  test('keeps a CR that does not end the name', () => {
    assert.equal(encodeMessage({ name: 'a\rb', route: [] }).toString(), 'a\rb\n\n');
  });

  test('refuses a host with a line break', () => {
    const hop = { host: 'h 1\nevil', port: 1 };
    assert.throws(() => encodeMessage({ name: 'a', route: [hop] }), { code: 'BAD_ROUTE' });
  });
});

describe('decoding', () => {
  for (const [what, text] of [
    ['as it is sent', 'a b\nh1 1\n::2 2\n\n'],
    ['without a line end', 'a b\nh1 1\n::2 2'],
    ['with many line ends', 'a b\nh1 1\n::2 2\n\n\n\n'],
    ['with CRLF', 'a b\r\nh1 1\r\n::2 2\r\n\r\n'],
    ['with more than two words', 'a b\nh1 1 third fourth\n::2 2 x\n'],
    ['with white space around the words', 'a b\n  h1 \t 1\n::2  2 \n'],
    ['with brackets', 'a b\nh1 1\n[::2] 2\n'],
  ] as const) {
    test(`reads a message ${what}`, () => {
      const { name, route } = decodeMessage(Buffer.from(text));
      assert.deepEqual({ name, route }, { name: 'a b', route: [H1, H2] });
    });
  }

  test('has the third words of the hop lines', () => {
    const message = encodeMessage({ name: 'a b', route: [H1, H2] }, 'private');
    assert.equal(message.toString(), 'a b\nh1 1 private\n::2 2 private\n\n');
    assert.deepEqual(decodeMessage(message).classes, ['private', 'private']);
    assert.deepEqual(decodeMessage(Buffer.from('a b\nh1 1\n::2 2 x y\n')).classes, ['x']);
  });

  test('keeps a name as it is, spaces and byte-order mark included', () => {
    assert.equal(decodeMessage(Buffer.from(' \uFEFFa  b \n')).name, ' \uFEFFa  b ');
    assert.equal(decodeMessage(Buffer.from('\uFEFFa')).name, '\uFEFFa');
  });

  for (const [what, bytes] of [
    ['nothing', ''],
    ['only line ends', '\n\r\n\n'],
    ['an empty name', '\nh1 1\n'],
    ['a NUL', 'a\0b\n'],
    ['a hop of one word', 'a\nh1\n'],
    ['an empty hop', 'a\n\nh1 1\n'],
    ['a host that is none', 'a\n127.1 80\n'],
    ['a port that is none', 'a\nh1 99999\n'],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0xff, 0x0a])],
    ['an overlong form of a slash', Buffer.from([0xc0, 0xaf, 0x0a])],
  ] as const) {
    test(`refuses ${what}`, () => {
      assert.throws(() => decodeMessage(Buffer.from(bytes)), { code: 'BAD_MESSAGE' });
    });
  }

  test('takes 4,096 bytes and no more', () => {
    assert.equal(decodeMessage(Buffer.alloc(4096, 'x')).name.length, 4096);
    assert.throws(() => decodeMessage(Buffer.alloc(4097, 'x')), { code: 'MESSAGE_TOO_LONG' });
  });

  test('shows what is wrong without control characters', () => {
    assert.throws(() => decodeMessage(Buffer.from('a\n\u001b[2J')), { message: /"\\x1b\[2J"/ });
  });
});

describe('scanning', () => {
  for (const [text, message, rest] of [
    ['a\n\n', 'a\n', ''],
    ['a\nh 1\n\nmore\n\n', 'a\nh 1\n', 'more\n\n'],
    ['a\r\n\r\nx', 'a\r\n', 'x'],
    ['a\n\r\nx', 'a\n', 'x'],
    ['\nx', '', 'x'],
  ] as const) {
    test(`finds the end in ${JSON.stringify(text)}`, () => {
      const scan = scanMessage(Buffer.from(text));
      assert.ok(scan.ended);
      assert.deepEqual([scan.message.toString(), scan.rest.toString()], [message, rest]);
    });
  }

  for (const [text, endsWithLine] of [
    ['', false],
    ['a', false],
    ['a\n', true],
    ['a\nh', false],
    ['a\nh 1\n', true],
    ['a\n\r', false],
    ['a\n\rb\n', true],
  ] as const) {
    test(`finds no end in ${JSON.stringify(text)}`, () => {
      assert.deepEqual(scanMessage(Buffer.from(text)), { ended: false, endsWithLine });
    });
  }
});

describe('properties', () => {
  test('what was encoded is found and decoded, whatever follows it', () => {
    fc.assert(
      fc.property(requests, fc.uint8Array(), (request, after) => {
        const scan = scanMessage(Buffer.concat([encodeMessage(request), after]));
        assert.ok(scan.ended);
        assert.deepEqual(decodeMessage(scan.message), { ...request, classes: [] });
        assert.deepEqual(scan.rest, Buffer.from(after));
      }),
    );
  });

  test('the end is found at the same place, however the bytes are split', () => {
    const bytes = fc
      .array(fc.constantFrom('a', '\n', '\r', '\r\n', ' ', 'h 1', '\n\n', 'é'), { maxLength: 20 })
      .map((pieces) => Buffer.from(pieces.join('')));
    fc.assert(
      fc.property(bytes, fc.nat(40), (all, cut) => {
        const whole = scanMessage(all);
        const first = scanMessage(all.subarray(0, cut));
        if (first.ended) {
          assert.ok(whole.ended);
          assert.deepEqual(first.message, whole.message);
          assert.deepEqual(Buffer.concat([first.rest, all.subarray(cut)]), whole.rest);
        } else if (whole.ended) {
          assert.ok(all.length - whole.rest.length > cut);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('whatever the bytes, nothing but a ViaductError is thrown', () => {
    const texts = nearlyValid.map((text) => Buffer.from(text));
    const anything = fc.oneof(
      texts,
      fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        scanMessage(bytes);
        return failsWell(() => decodeMessage(bytes));
      }),
    );
  });
});
