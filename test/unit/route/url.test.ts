import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { encodeSegment, formatTarget, nameOfPath, parseTarget } from '#src/route/url.js';
import { formatHop } from 'viaduct';
import { anyCharacter, PLAIN, failsWell, hops, nearlyValid, names } from '../../support/arbitraries.js';
import { codeOf } from '../../support/failures.js';
import { REFUSED_HOSTS } from '../../support/refused-hosts.js';

/** The hops of a target as `host:port`, and its path. */
function taken(target: string): [readonly string[], string] {
  const { route, path } = parseTarget(target);
  return [route.map(formatHop), path];
}

describe('a target', () => {
  for (const [target, route, path] of [
    ['/', [], '/'],
    ['/dir/file', [], '/dir/file'],
    ['/file?a=/@h:1/#f', [], '/file?a=/@h:1/#f'],
    ['/@h2:11000/dir/file', ['h2:11000'], '/dir/file'],
    ['/@h2:1/@h3:65535/', ['h2:1', 'h3:65535'], '/'],
    ['/@h2:1', ['h2:1'], '/'],
    ['/@h2:1/@h3:2', ['h2:1', 'h3:2'], '/'],
    ['/@h2:1?q', ['h2:1'], '/?q'],
    ['/@h2:1#f', ['h2:1'], '/#f'],
    ['/@127.0.0.1:80/x', ['127.0.0.1:80'], '/x'],
    ['/@[::1]:80/x', ['[::1]:80'], '/x'],
    ['/@[2001:db8::7]:80/@[::ffff:1.2.3.4]:81/x', ['[2001:db8::7]:80', '[::ffff:1.2.3.4]:81'], '/x'],
    ['/@a-b_c.example:80/x', ['a-b_c.example:80'], '/x'],
    // Only leading segments that match entirely are hops.
    ['/@types/', [], '/@types/'],
    ['/@types/@h:1/x', [], '/@types/@h:1/x'],
    ['/dir/@h3:1/x', [], '/dir/@h3:1/x'],
    ['/@h2:1/dir/@h3:1/x', ['h2:1'], '/dir/@h3:1/x'],
    ['/@h2:1/@types/@h3:1', ['h2:1'], '/@types/@h3:1'],
    ['//@h2:1/x', [], '//@h2:1/x'],
    ['/@h2:1//@h3:1/x', ['h2:1'], '//@h3:1/x'],
    // What looks like a hop and is written with %40 is a name.
    ['/%40h3:1/x', [], '/%40h3:1/x'],
    ['/@h2:1/%40h3:1/x', ['h2:1'], '/%40h3:1/x'],
    // A `.` segment counts for nothing, wherever it stands.
    ['/.', [], '/'],
    ['/./x', [], '/x'],
    ['/././%2E/x/./y/.', [], '/x/y/'],
    ['/./@h:1/./@h2:2/%2e/x', ['h:1', 'h2:2'], '/x'],
    ['/@h:1/.', ['h:1'], '/'],
    ['/@h:1/%2e?q=/./', ['h:1'], '/?q=/./'],
    ['/./Sub:Dir/', [], '/Sub:Dir/'],
    ['/dir/./@h:1/x', [], '/dir/@h:1/x'],
    // `..` further down is the origin's matter.
    ['/a/../b', [], '/a/../b'],
    ['/...', [], '/...'],
    ['/.hidden', [], '/.hidden'],
    ['/..odd/x', [], '/..odd/x'],
    // Absolute form (RFC 9112 §3.2.2).
    ['http://h1:1/x', [], '/x'],
    ['HTTPS://h1/x', [], '/x'],
    ['http://h1', [], '/'],
    ['http://h1?q', [], '/?q'],
    ['http://h1:1/@h2:2/x', ['h2:2'], '/x'],
    ['http://[::1]:80/@[::2]:81/x', ['[::2]:81'], '/x'],
  ] as const) {
    test(`${target} is ${route.join(', ') || 'no hop'} and ${path}`, () => {
      assert.deepEqual(taken(target), [route, path]);
    });
  }

  for (const segment of [
    '@',
    '@:1',
    '@h',
    '@h:',
    '@h:0',
    '@h:65536',
    '@h:000080',
    '@h:+1',
    '@h:1x',
    '@h:1:2',
    '@h:%31',
    '@h%2e:1',
    '@%31:1',
    '@[::1]',
    '@[::1]:',
    '@[::1:80',
    '@::1:80',
    '@[fe80::1%25eth0]:80',
    '@[fe80::1%eth0]:80',
    '@[v1.x]:80',
    'h:1',
    '@@h:1',
    '@u@h:1',
    '@h:1;x',
    ...REFUSED_HOSTS.filter((host) => !/[/?#]/.test(host)).map((host) => `@${host}:80`),
  ]) {
    test(`/${JSON.stringify(segment)}/ is no hop but a name`, () => {
      assert.deepEqual(taken(`/${segment}/x`), [[], `/${segment}/x`]);
      assert.deepEqual(taken(`/@h:1/${segment}`), [['h:1'], `/${segment}`]);
    });
  }

  for (const target of [
    '',
    '*',
    'x',
    'h1:80',
    '?q',
    '@h:1/x',
    'ftp://h/x',
    'http:/x',
    'http:x',
    // `..` among the hops: a client or proxy on the way may have meant something else.
    '/..',
    '/../@h:1/x',
    '/@h:1/..',
    '/@h:1/../x',
    '/@h:1/../@h2:2/x',
    '/@h:1/%2e%2E/x',
    '/@h:1/.%2e/x',
    '/@h:1/..#f',
    'http://h/../x',
    // RFC 9110 §4.2.1: an empty host must be rejected.
    'http:///x',
    'http://',
    'http://:80/x',
    'https://?q',
  ]) {
    test(`${JSON.stringify(target)} is refused`, () => {
      assert.equal(
        codeOf(() => parseTarget(target)),
        'BAD_REQUEST',
      );
    });
  }
});

describe('the name of a path', () => {
  for (const [path, name] of [
    ['/', ''],
    ['/dir/', 'dir/'],
    ['/dir/file?q#f', 'dir/file'],
    ['/a%20b', 'a b'],
    ['/%40h3:1/x', '@h3:1/x'],
    ['/%3F%23%25', '?#%'],
    ['/%C3%A4', 'ä'],
    ['/\u00c3\u00a4', 'ä'],
    ['/%EF%BB%BFx', '\uFEFFx'],
    ['/\u00ef\u00bb\u00bfx', '\uFEFFx'],
    ['/a+b', 'a+b'],
    ['///a//b', 'a//b'],
    ['/%00', '\0'],
    ['/%2e%2e/x', '../x'],
    ['/x?%', 'x'],
    // Bytes that are not UTF-8, an overlong slash among them.
    ['/%ff', '\udcff'],
    ['/a%C3b', 'a\udcc3b'],
    ['/\u00ff', '\udcff'],
    ['/%c0%af', '\udcc0\udcaf'],
  ] as const) {
    test(`${JSON.stringify(path)} is ${JSON.stringify(name)}`, () => assert.equal(nameOfPath(path), name));
  }

  for (const path of ['/%', '/%4', '/%zz', '/a%2fb', '/a%2Fb']) {
    test(`${JSON.stringify(path)} is refused`, () => {
      assert.equal(
        codeOf(() => nameOfPath(path)),
        'BAD_REQUEST',
      );
    });
  }
});

describe('properties', () => {
  /** Paths whose first segment is a name, as `encodeSegment` writes it. */
  const paths = fc
    .array(
      names.filter((name) => !/^\.{1,2}$/.test(name)),
      { maxLength: 4 },
    )
    .map((segments) => `/${segments.map(encodeSegment).join('/')}`);
  const targets = fc.record({ route: fc.array(hops, { maxLength: 15 }), path: paths }, PLAIN);

  test('format and parse are inverse', () => {
    fc.assert(fc.property(targets, (target) => assert.deepEqual(parseTarget(formatTarget(target)), target)));
  });

  test('a target that is parsed and formatted means the same', () => {
    const anything = fc.oneof(
      nearlyValid,
      fc
        .array(
          fc.constantFrom('/', '@h:1', '@[::1]:2', '..', '.', '%2e', '@', ':', '?', '#', 'x', 'http://h'),
        )
        .map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(anything, (text) => {
        if (codeOf(() => parseTarget(text)) !== 'allowed') return;
        const target = parseTarget(text);
        assert.deepEqual(parseTarget(formatTarget(target)), target);
      }),
      { numRuns: 2000 },
    );
  });

  test('any name survives as a segment, and is never a hop', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          names,
          hops.map((hop) => `@${formatHop(hop)}`),
        ),
        (name) => {
          const path = `/${encodeSegment(name)}`;
          fc.pre(!/^\.{1,2}$/.test(name) && !name.includes('/'));
          assert.match(path, /^\/[\x21-\x7e]+$/);
          assert.deepEqual(parseTarget(path), { route: [], path });
          assert.equal(nameOfPath(path), name);
        },
      ),
    );
  });

  test('whatever the text, nothing but a ViaductError is thrown', () => {
    fc.assert(
      fc.property(fc.oneof(nearlyValid, fc.string({ unit: anyCharacter })), (text) =>
        [() => parseTarget(text), () => parseTarget(`/@${text}`), () => nameOfPath(`/${text}`)].every(
          failsWell,
        ),
      ),
    );
  });
});
