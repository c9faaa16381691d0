import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { splitPattern } from 'viaduct';
import { nameOfBytes } from '#src/route/name.js';

/** Whether a pattern, as the last part of a location, matches a name. */
function matches(pattern: string, name: string): boolean {
  const split = splitPattern(`h1:1/dir/${pattern}`);
  assert.ok(split, pattern);
  return split.pattern.matches(name);
}

describe('a pattern', () => {
  const byte = nameOfBytes(Buffer.from([0xff]));
  for (const [pattern, fitting, others] of [
    ['2026-*.gz', ['2026-.gz', '2026-01.gz', '2026-*.gz'], ['2025-01.gz', '2026-01.gz.part', '2026-01']],
    ['*', ['a', 'ü b', byte], ['.hidden']],
    ['.*', ['.hidden'], ['a']],
    ['?', ['a', 'ü', '😀', byte], ['', 'ab', '.']],
    ['*a*b', ['ab', 'xaxxb', 'aabb'], ['ba', 'abc']],
    ['[a-c]x', ['ax', 'cx'], ['dx', 'x', '-x']],
    ['[!a-c]x', ['dx', 'üx'], ['ax', 'x']],
    ['[^a-c]x', ['dx'], ['ax']],
    ['[]x]', [']', 'x'], ['[]x]', 'a']],
    ['[!]x]', ['a'], [']', 'x']],
    ['[a-]', ['a', '-'], ['b']],
    ['[ä-ü]*', ['öl'], ['ol']],
    ['a[1].*', ['a1.txt'], ['a[1].txt']],
    ['a%5B1].*', ['a[1].txt'], ['a1.txt']],
    ['%2A?', ['*a'], ['ba']],
    ['%3F*', ['?', '?x'], ['x']],
    ['*%25', ['5%'], ['5%25']],
    ['%FF*', [`${byte}x`], ['x']],
    ['*[', ['x['], ['x']],
    ['x[]*', ['x[]', 'x[]1'], ['x', 'x[', 'x1']],
    ['x[!]*', ['x[!]', 'x[!]1'], ['x1', 'x[1']],
    ['x[!!]*', ['x1'], ['x!', 'x']],
    ['@types*', ['@types'], ['types']],
  ] as const) {
    test(`"${pattern}" matches ${fitting.length} names, and not ${others.length} others`, () => {
      for (const name of fitting) assert.ok(matches(pattern, name), name);
      for (const name of others) assert.ok(!matches(pattern, name), name);
    });
  }

  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 12 });
  test('matches what a regular expression of the same meaning does', () => {
    fc.assert(
      fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b') }), (pattern, name) => {
        const split = splitPattern(`h1:1/${pattern}`);
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        assert.equal(split?.pattern.matches(name) ?? pattern === name, expected.test(name));
      }),
    );
  });

  // A backtracking matcher takes longer than the universe exists.
  test('is fast with many stars and a name that almost fits', () => {
    assert.equal(matches(`${'*a'.repeat(40)}*b`, 'a'.repeat(255)), false);
  });
});

describe('a location', () => {
  for (const [where, folder, text] of [
    ['h1:1/@h2:2/logs/*.gz', 'h1:1/@h2:2/logs/', '*.gz'],
    ['http://h1/*', 'http://h1/', '*'],
    ['h1:1/@[::1]:2/a?', 'h1:1/@[::1]:2/', 'a?'],
    ['[::1]:1/[ab]', '[::1]:1/', '[ab]'],
    ['h1:1/*/x*', 'h1:1/*/', 'x*'],
  ] as const) {
    test(`${where} ends with a pattern`, () => {
      const split = splitPattern(where);
      assert.equal(split?.folder, folder);
      assert.equal(split.pattern.text, text);
    });
  }

  for (const where of [
    'h1:1/file',
    'h1:1/*/',
    'h1:1/*/file',
    '[::1]:12000',
    'h1:1/@[::1]:80',
    'h1:1/%2A',
    'h1:1/a[b',
    'h1:1/a*#b',
    'h1:1/100%*',
    '*',
  ]) {
    test(`${where} does not`, () => assert.equal(splitPattern(where), undefined));
  }
});
