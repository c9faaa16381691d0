import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { formatHop, parseProxy } from 'viaduct';
import { formatProxy } from '#src/proxy/config.js';
import { failsWell, hops, nearlyValid } from '../../support/arbitraries.js';
import { thrownBy } from '../../support/failures.js';

const login = (user: string, password: string) => ({ login: { user, password } });

describe('the URL of a proxy', () => {
  for (const [text, scheme, host, port, more] of [
    ['http://p:3128', 'http', 'p', 3128, {}],
    ['p:3128', 'http', 'p', 3128, {}],
    ['p', 'http', 'p', 1080, {}],
    ['HTTP://p:3128/', 'http', 'p', 3128, {}],
    ['socks5://10.0.0.1', 'socks5', '10.0.0.1', 1080, {}],
    ['socks5h://[::1]:9050', 'socks5h', '::1', 9050, {}],
    ['http://u:p@h:1', 'http', 'h', 1, login('u', 'p')],
    ['u:p@h:1', 'http', 'h', 1, login('u', 'p')],
    ['http://u@h:1', 'http', 'h', 1, login('u', '')],
    ['http://@h:1', 'http', 'h', 1, login('', '')],
    ['http://u:@h:1', 'http', 'h', 1, login('u', '')],
    ['http://u:a:b@h:1', 'http', 'h', 1, login('u', 'a:b')],
    ['http://u:a@b/c@h:1', 'http', 'h', 1, login('u', 'a@b/c')],
    ['socks5h://%C3%BC%3a:%40%2f%25@h:1', 'socks5h', 'h', 1, login('ü:', '@/%')],
  ] as const) {
    test(text, () => {
      assert.deepEqual(parseProxy(text), { scheme, hop: { host, port }, ...more });
    });
  }

  for (const [text, reason] of [
    ['', /expected scheme:\/\/host:port/],
    ['http://', /expected scheme/],
    ['http://anna:secret@', /expected scheme/],
    ['http://p:3128/path', /expected scheme/],
    ['http://p:3128?x', /expected scheme/],
    ['http://a b:1', /expected scheme/],
    ['http://127.1:1', /expected scheme/],
    ['http://::1:1', /expected scheme/],
    ['http://p:0', /port is not 1 to 65535/],
    ['http://p:', /port is not/],
    ['http://p:65536', /port is not/],
    ['https://anna:secret@p:1', /in TLS \(https:\/\/\) is not supported; use http:\/\//],
    ['socks4://anna:secret@p:1', /SOCKS 4 is not supported; use socks5h/],
    ['socks4a://p:1', /SOCKS 4 is not supported/],
    ['socks://p:1', /SOCKS 4 is not supported/],
    ['constructor://p:1', /: it begins with http/],
    ['ftp://p:1', /begins with http:\/\/, socks5h:\/\/ or socks5:\/\//],
    ['http://anna:secret%@p:1', /written %25/],
    ['http://anna%3a:secret@p:1', /a user has no colon/],
    ['socks5://u:@p:1', /have 1 to 255 bytes/],
    [`socks5h://anna:secret${'x'.repeat(256)}@p:1`, /have 1 to 255 bytes/],
    ['http://anna:sec/ret@p:99999', /port is not/],
  ] as const) {
    test(`"${text.slice(0, 40)}" is refused, without its password`, () => {
      const error = thrownBy(() => parseProxy(text));
      assert.equal(error?.code, 'USAGE');
      assert.match(error?.message ?? '', reason);
      assert.doesNotMatch(error?.message ?? '', /sec|anna/);
    });
  }

  test('without its host has a password in place of the port, which is not shown', () => {
    for (const text of [
      'http://anna:sesame',
      'anna:sesame',
      'http://anna:1sesame/',
      'socks5h://[::1]:sesame',
    ]) {
      const { message = '' } = thrownBy(() => parseProxy(text)) ?? {};
      assert.match(message, /:…" is not the URL of a proxy: its port is not 1 to 65535$/);
      assert.doesNotMatch(message, /sesame/);
    }
  });

  test('is what formatProxy writes, and user and password come back', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    const schemes = fc.constantFrom('http', 'socks5', 'socks5h');
    fc.assert(
      fc.property(schemes, hops, word, word, (scheme, hop, user, password) => {
        fc.pre(scheme !== 'http' || !user.includes(':'));
        fc.pre(Buffer.byteLength(user) <= 255 && Buffer.byteLength(password) <= 255);
        const text = `${scheme}://${[user, password].map(encodeURIComponent).join(':')}@${formatHop(hop)}`;
        const proxy = parseProxy(text);
        assert.deepEqual({ ...proxy }, { scheme, hop, login: { user, password } });
        assert.equal(formatProxy(proxy), `${scheme}://${formatHop(hop)}`);
      }),
    );
  });

  test('anything else fails well', () => {
    fc.assert(fc.property(nearlyValid, (text) => failsWell(() => parseProxy(`http://${text}`))));
  });
});
