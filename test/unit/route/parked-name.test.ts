import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  isPinBeginning,
  notAParkedName,
  parseParkedName,
  pinBegins,
  pinName,
} from '#src/route/parked-name.js';

const pins = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((digest) => `sha256//${Buffer.from(digest).toString('base64')}`);
const base64urlOf = (pin: string): string =>
  Buffer.from(pin.slice('sha256//'.length), 'base64').toString('base64url');
/** Letters of both cases, digits, and what stands beside them in grammars. */
const pieces = fc.string({
  unit: fc.constantFrom('a', 'z', 'A', 'Z', '0', '9', '-', '_', '\u212a', '.', '/', ' ', '\n', '~'),
  maxLength: 50,
});

test('names', () => {
  for (const [text, name] of [
    ['attic', 'attic'],
    ['Attic-2', 'attic-2'],
    ['a', 'a'],
    ['7', '7'],
    ['a--b', 'a--b'],
    ['abcdefghijklmno', 'abcdefghijklmno'],
    ['abcdefghijklmnop', undefined],
    ['', undefined],
    ['-', undefined],
    ['-a', undefined],
    ['a-', undefined],
    ['a_b', undefined],
    ['a.b', undefined],
    ['~a', undefined],
    [' a', undefined],
    ['a\n', undefined],
    ['dépôt', undefined],
    // Lower case of the Kelvin sign is k.
    ['\u212a', undefined],
  ] as const) {
    assert.equal(parseParkedName(text), name, JSON.stringify(text));
  }
  assert.equal(
    notAParkedName('a\u001b'),
    '"a\\x1b" is not a name; expected 1 to 15 letters (a-z), digits and "-", with no "-" first or last',
  );
});

test('a name is its own canonical form, and case does not count', () => {
  const anyName = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,13}[a-zA-Z0-9])?$/);
  fc.assert(
    fc.property(anyName, (text) => {
      const name = parseParkedName(text);
      assert.ok(name !== undefined);
      assert.equal(name, text.toLowerCase());
      assert.equal(parseParkedName(name), name);
      assert.equal(parseParkedName(text.toUpperCase()), name);
    }),
  );
});

test('no text is both a name and the beginning of a pin', () => {
  fc.assert(
    fc.property(pieces, (text) => assert.ok(parseParkedName(text) === undefined || !isPinBeginning(text))),
  );
  fc.assert(fc.property(pins, (pin) => assert.equal(parseParkedName(pinName(pin)), undefined)));
});

test('a pin begins with each of its beginnings of 16 to 43 characters, and with no others', () => {
  fc.assert(
    fc.property(pins, fc.nat(44), pieces, (pin, length, other) => {
      const text = base64urlOf(pin);
      const isLongEnough = length >= 16;
      assert.equal(pinName(pin), text.slice(0, 16));
      assert.equal(pinBegins(pin, text.slice(0, length)), isLongEnough);
      assert.equal(isPinBeginning(text.slice(0, length)), isLongEnough);
      assert.equal(pinBegins(pin, `${text}${text.slice(0, 1)}`), false);
      assert.equal(pinBegins(pin, other), isPinBeginning(other) && text.startsWith(other));
    }),
  );
});

test('case counts in a beginning, and base64url has - and _', () => {
  const pin = `sha256//${Buffer.alloc(32, 0xfb).toString('base64')}`;
  assert.equal(pinName(pin), '-_v7-_v7-_v7-_v7');
  assert.ok(pinBegins(pin, '-_v7-_v7-_v7-_v7'));
  assert.equal(pinBegins(pin, '-_V7-_v7-_v7-_v7'), false);
  assert.equal(pinBegins(pin, '+/v7+/v7+/v7+/v7'), false);
  assert.equal(isPinBeginning('+/v7+/v7+/v7+/v7'), false);
  assert.equal(isPinBeginning('-_v7-_v7-_v7-_v7\n'), false);
});
