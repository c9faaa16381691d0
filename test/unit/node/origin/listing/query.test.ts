import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { NO_QUERY, formatListingQuery, parseListingQuery } from '#src/node/origin/listing/query.js';

/** Text as forms can send it: every character but lone surrogates. */
const text = fc.string({ unit: 'binary' });

test('what is formatted is read again, whatever the text of the filter', () => {
  fc.assert(
    fc.property(
      fc.record({
        text,
        sort: fc.constantFrom('name' as const, 'size' as const, 'time' as const),
        order: fc.constantFrom('asc' as const, 'desc' as const),
        page: fc.integer({ min: 1, max: 999_999_999 }),
      }),
      (query) => {
        const link = formatListingQuery(query);
        assert.match(link, /^\.\/(?:\?[\x21-\x7e]+)?$/);
        assert.deepEqual(parseListingQuery(link) ?? NO_QUERY, { ...query });
      },
    ),
  );
});

describe('a query', () => {
  for (const [path, expected] of [
    ['/', undefined],
    ['/?', undefined],
    ['/?tar', undefined],
    ['/?x=1#?q=y', undefined],
    ['/?q=', NO_QUERY],
    ['/?sort=&order=&page=', NO_QUERY],
    ['/?q=a+b%20c&x=y', { ...NO_QUERY, text: 'a b c' }],
    ['/?q=%C3%A4', { ...NO_QUERY, text: 'ä' }],
    // As bytes that are not encoded arrive.
    ['/?q=\u00c3\u00a4', { ...NO_QUERY, text: 'ä' }],
    ['/?q=a?b', { ...NO_QUERY, text: 'a?b' }],
    ['/?page=7&sort=time&order=desc', { text: '', sort: 'time', order: 'desc', page: 7 }],
  ] as const) {
    test(path, () => assert.deepEqual(parseListingQuery(path), expected));
  }
});

describe('a value that a parameter cannot have is an error that names the parameter', () => {
  for (const [path, message] of [
    ['/?sort=date', /"sort".*name, size, time/],
    ['/?order=down', /"order".*asc, desc/],
    ['/?page=0', /"page"/],
    ['/?page=-1', /"page"/],
    ['/?page=1e3', /"page"/],
    ['/?page=10000000000', /"page"/],
  ] as const) {
    test(path, () => assert.throws(() => parseListingQuery(path), { code: 'BAD_REQUEST', message }));
  }
});
