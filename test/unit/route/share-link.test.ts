import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { linkPath, splitLink, withoutLink, withoutTokens } from '#src/route/share-link.js';

const TOKEN = 'AWYzNTkBAmFiY2RlZmdoaWprbG1ub3A';

test('a link is a prefix in one spelling; any other is malformed', () => {
  assert.deepEqual(splitLink(linkPath(TOKEN, '/a/b')), { token: TOKEN, path: '/a/b' });
  for (const [path, token, rest] of [
    [`/.viaduct/share/${TOKEN}/`, TOKEN, '/'],
    [`/.viaduct/share/${TOKEN}//a?x#y`, TOKEN, '//a?x#y'],
    [`/.viaduct/share/${TOKEN}`, TOKEN, ''],
    [`/.viaduct/share/${TOKEN}?x`, TOKEN, ''],
    ['/.viaduct/share/short/a', 'short', '/a'],
    ['/.viaduct/share/', '', ''],
    ['/.viaduct/share', '', ''],
    [`/.viaduct/share//${TOKEN}/a`, '', ''],
    [`/.viaduct/share/%41${TOKEN.slice(1)}/a`, '', ''],
    [`/%2eviaduct/share/${TOKEN}/a`, '', ''],
    [`/.viaduct/sh%61re/${TOKEN}/a`, '', ''],
    [`//.viaduct/share/${TOKEN}/a`, '', ''],
    [`/./.viaduct/./share/${TOKEN}/a`, '', ''],
  ] as const)
    assert.deepEqual(splitLink(path), { token, path: rest }, path);
  for (const path of [
    '/',
    '/a',
    '/.viaduct/status',
    '/.viaduct/shares/x',
    '/a/.viaduct/share/x',
    '/?/.viaduct/share/x',
  ])
    assert.equal(splitLink(path), undefined, path);
});

test('the path without its link is what the file is below the root', () => {
  assert.equal(withoutLink(linkPath(TOKEN, '/photos/p.jpg')), '/photos/p.jpg');
  assert.equal(withoutLink(linkPath(TOKEN, '')), '/');
  assert.equal(withoutLink('/photos/p.jpg'), '/photos/p.jpg');
});

test('no spelling of a link shows its token', () => {
  for (const [text, shown] of [
    [`GET /@h2:1/.viaduct/share/${TOKEN}/a?x as hop 1`, 'GET /@h2:1/.viaduct/share/…/a?x as hop 1'],
    [`http://h1:1/@~attic/.viaduct/share/${TOKEN}/a`, 'http://h1:1/@~attic/.viaduct/share/…/a'],
    [`.viaduct/share/${TOKEN}`, '.viaduct/share/…'],
    [`/.viaduct/share/${TOKEN}?x`, '/.viaduct/share/…?x'],
    [`"/.viaduct/share/${TOKEN}" is a folder`, '"/.viaduct/share/…" is a folder'],
    [`/%2Eviaduct/%73hare/${TOKEN}/a`, '/%2Eviaduct/%73hare/…/a'],
    [`/.viaduct%2Fshare%2f${TOKEN}%2Fa`, '/.viaduct%2Fshare%2f…%2Fa'],
    [`/.viaduct//./share/.//${TOKEN}/a`, '/.viaduct//./share/.//…/a'],
    [`/.VIADUCT/Share/${TOKEN}/a`, '/.VIADUCT/Share/…/a'],
    [`.viaduct\\share\\${TOKEN}\\a`, '.viaduct\\share\\…\\a'],
    ['/share/photos/a', '/share/photos/a'],
    ['/.viaduct/status', '/.viaduct/status'],
  ] as const)
    assert.equal(withoutTokens(text), shown);
});

test('a token is cut in what opens nothing but looks like a link', () => {
  for (const path of [
    `/.viaduct/SHARE/${TOKEN}/x`,
    `/.viaduct/x/../share/${TOKEN}/a`,
    `/.viaduct/share;/${TOKEN}`,
    `/.viaduct/share%00/${TOKEN}`,
    `.viaduct/share/x/${TOKEN}/`,
    `there is no file "%2Eviaduct%2Fshare%2F${TOKEN}%2Fphotos"`,
    `"h/.viaduct/share/${TOKEN} 1" is no hop`,
  ])
    assert.ok(!withoutTokens(path).includes(TOKEN), withoutTokens(path));
});

test('whatever stands around it, a token is cut, and text without links stays as it is', () => {
  const part = fc.string({ unit: fc.constantFrom('a', '/', '.', '%2e', '?', '"', ' ', 'share', '.viaduct') });
  fc.assert(
    fc.property(part, part, (before, after) => {
      assert.ok(!withoutTokens(`${before}/.viaduct/share/${TOKEN}/${after}`).includes(TOKEN));
    }),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(fc.string(), (text) => assert.equal(withoutTokens(text), text)));
});
