import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { bytesOfName, fsPath, hasBytes, nameOfBytes, replaceBytes } from '#src/route/name.js';
import { encodeSegment, nameOfPath } from '#src/route/url.js';
import { visible } from '#src/text.js';

const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes));
/** Nearly UTF-8: whole and broken characters of each length, surrogates and overlong forms. */
const nearly = fc
  .array(
    fc.constantFrom(
      '61',
      'c3a9',
      'c3',
      'e282ac',
      'e282',
      'f09f9880',
      'f09f98',
      'eda080',
      'edb3bf',
      'c0af',
      '80',
      'ff',
    ),
  )
  .map((parts) => Buffer.from(parts.join(''), 'hex'));

describe('the name that bytes are', () => {
  for (const [hex, name, shown] of [
    ['626164ff2e747874', 'bad\udcff.txt', 'bad\\xff.txt'],
    ['c3a9', 'é', 'é'],
    ['e9', '\udce9', '\\xe9'],
    ['f09f98f09f9880', '\udcf0\udc9f\udc98😀', '\\xf0\\x9f\\x98😀'],
    ['edb3bf', '\udced\udcb3\udcbf', '\\xed\\xb3\\xbf'],
  ] as const) {
    test(`${hex} is shown as ${shown}`, () => {
      assert.equal(nameOfBytes(Buffer.from(hex, 'hex')), name);
      assert.equal(bytesOfName(name).toString('hex'), hex);
      assert.equal(visible(name), shown);
    });
  }

  test('leads back to the same bytes, also through a URL', () => {
    fc.assert(
      fc.property(fc.oneof(anyBytes, nearly), (bytes) => {
        const name = nameOfBytes(bytes);
        assert.deepEqual(bytesOfName(name), bytes);
        assert.equal(hasBytes(name), !isUtf8(bytes));
        assert.equal(typeof fsPath(name), isUtf8(bytes) ? 'string' : 'object');
        assert.ok(replaceBytes(name, () => '?').isWellFormed());
        if (bytes.includes(0x2f)) return;
        const encoded = encodeSegment(name);
        assert.match(encoded, /^[\x21-\x7e]*$/);
        assert.equal(nameOfPath(`/${encoded}`), name);
      }),
    );
  });
});
