import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseHttpDate } from '#src/wire/http/date.js';

const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37);

// The examples of RFC 9110 §5.6.7.
for (const text of [
  'Sun, 06 Nov 1994 08:49:37 GMT',
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'Sun Nov  6 08:49:37 1994',
]) {
  test(`${text} is a date`, () => assert.equal(parseHttpDate(text), EXAMPLE));
}

test('a year of two digits is at most 50 years ahead', () => {
  const now = new Date().getUTCFullYear();
  for (let year = now - 49; year <= now + 50; year += 1) {
    const text = `Monday, 01-Jan-${String(year % 100).padStart(2, '0')} 00:00:00 GMT`;
    assert.equal(parseHttpDate(text), Date.UTC(year, 0, 1));
  }
});

for (const text of [
  '',
  '0',
  '2030',
  '2030-01-01T00:00:00Z',
  'tomorrow',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 08:49:37 UTC',
  'Sun, 06 Nov 1994 08:49:37 +0000',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Foo 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 25:49:37 GMT',
  'Sun, 06 Nov 94 08:49:37 GMT',
  'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ' Sun, 06 Nov 1994 08:49:37 GMT',
]) {
  test(`${JSON.stringify(text)} is none`, () => assert.equal(parseHttpDate(text), undefined));
}

test('what Date writes is read', () => {
  const dates = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(dates, (date) => {
      const seconds = Math.floor(date.getTime() / 1000) * 1000;
      assert.equal(parseHttpDate(date.toUTCString()), seconds);
    }),
  );
});
