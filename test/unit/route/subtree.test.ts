import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatSubtree, isInside, parseSubtree } from '#src/route/subtree.js';
import { nameOfPath } from '#src/route/url.js';
import { anyCharacter } from '../../support/arbitraries.js';

test('paths of subtrees', () => {
  for (const [text, segments] of [
    ['/', []],
    ['/photos', ['photos']],
    ['/photos/', ['photos']],
    ['/%70hotos/2024', ['photos', '2024']],
    ['/a%20b/%25', ['a b', '%']],
    ['/ü', ['ü']],
    ['/%C3%BC', ['ü']],
    ['/%FF', ['\udcff']],
    ['/%40h:1', ['@h:1']],
    ['/...', ['...']],
  ] as const)
    assert.deepEqual(parseSubtree(text), segments, text);
});

test('what may have been meant otherwise is no path', () => {
  for (const text of [
    '',
    'photos',
    '//',
    '//photos',
    '/photos//',
    '/photos//2024',
    '/./photos',
    '/photos/.',
    '/..',
    '/photos/../a',
    '/%2e%2e/a',
    '/photos/%2E',
    '/photos%2f2024',
    '/a%00b',
    '/a\0b',
    '/a?b',
    '/a#b',
    '/a\\b',
    '/a b',
    '/a%',
    '/a%2',
    '/\ufffd',
  ])
    assert.equal(parseSubtree(text), undefined, text);
});

const segment = fc
  .string({ unit: anyCharacter, minLength: 1, maxLength: 12 })
  .filter((text) => text.isWellFormed() && !/[/\0]/.test(text) && text !== '.' && text !== '..');

test('any subtree survives its text, and is inside itself only', () => {
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 4 }), fc.array(segment, { maxLength: 4 }), (a, b) => {
      assert.deepEqual(parseSubtree(formatSubtree(a)), a);
      const name = nameOfPath(formatSubtree(b));
      assert.equal(isInside(name, a), a.length <= b.length && a.every((each, index) => each === b[index]));
    }),
  );
});
