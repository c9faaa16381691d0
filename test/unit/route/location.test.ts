import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { formatLocation, locationOf, parseLocation, prefixesOf } from '#src/route/location.js';
import { formatHop } from 'viaduct';
import { anyCharacter, PLAIN, hops } from '../../support/arbitraries.js';
import { thrownBy } from '../../support/failures.js';

/** `h1:1 h2:2 /path`, after the scheme if there is one */
function shown(text: string, jump?: string): string {
  const { scheme, route, path } = parseLocation(text, jump);
  return [...(scheme === undefined ? [] : [scheme]), ...route.map(formatHop), path].join(' ');
}

describe('a location', () => {
  for (const [text, expected] of [
    ['http://h1:12000/@h2:11000/dir/file', 'h1:12000 h2:11000 /dir/file'],
    ['HTTP://h1:12000/file', 'h1:12000 /file'],
    ['h1:12000/@h2:11000/@[::1]:9/file', 'h1:12000 h2:11000 [::1]:9 /file'],
    ['[::1]:12000/file', '[::1]:12000 /file'],
    ['http://h1/file', 'h1:80 /file'],
    ['https://h1:12000/@h2:2/file', 'https h1:12000 h2:2 /file'],
    ['HTTPS://h1/file', 'https h1:443 /file'],
    ['h1:1', 'h1:1 /'],
    ['h1:1/', 'h1:1 /'],
    ['h1:1/@h2:2', 'h1:1 h2:2 /'],
    ['h1:1/dir/@h2:2', 'h1:1 /dir/@h2:2'],
    ['h1:1/%40h2:2/x', 'h1:1 /%40h2:2/x'],
    ['h1:1/a b/ü/[x]', 'h1:1 /a%20b/%C3%BC/%5Bx%5D'],
    ['h1:1/a%20b%25', 'h1:1 /a%20b%25'],
    ['h1:1/\n\u001b', 'h1:1 /%0A%1B'],
  ] as const) {
    test(JSON.stringify(text), () => assert.equal(shown(text), expected));
  }

  test('with its relays apart', () => {
    assert.equal(
      shown('h3:9000/dir/file', 'h1:12000, [::1]:11000'),
      'h1:12000 [::1]:11000 h3:9000 /dir/file',
    );
    assert.equal(shown('http://h3:3/@h4:4/f', 'h1:1'), 'h1:1 h3:3 h4:4 /f');
  });

  for (const [text, why] of [
    ['', /"" has no port; write host:port$/],
    ['h1/file', /"h1" has no port; write host:port$/],
    ['h1:/file', /"" is not a port/],
    ['h1:0/file', /"0" is not a port/],
    ['h1:12x/file', /"12x" is not a port/],
    ['127.1:1/file', /"127\.1" is not a host/],
    ['user@h1:1/file', /write host:port, without user or password$/],
    ['::1:1/file', /is not a/],
    ['ftp://h1:1/file', /only http:\/\/ and https:\/\/ are spoken$/],
    ['h1:1/file?x', /a "\?" of a name is written %3F$/],
    ['h1:1/file#x', /a "#" of a name is written %23$/],
    ['h1:1/100%', /a "%" of a name is written %25$/],
    ['h1:1/../file', /begins with "\.\."/],
    ['h1:1/@h2:2/%2e%2e/file', /begins with "\.\."/],
    [
      'h1:1/@h2:99999/x',
      /"@h2:99999" is no hop, which is @host:port or @~name; the "@" of a name is written %40$/,
    ],
    ['h1:1/@h2:2/@types:x/y', /"@types:x" is no hop/],
  ] as const) {
    test(`is not ${JSON.stringify(text)}`, () => {
      const error = thrownBy(() => parseLocation(text));
      assert.equal(error?.code, 'BAD_ROUTE');
      assert.ok(error.message.startsWith(`"${text}": `), error.message);
      assert.match(error.message, why);
    });
  }

  for (const [jump, why] of [
    ['h1:1,h2', /"h2" has no port; write host:port$/],
    ['', /a relay is missing; write host:port,host:port$/],
    ['h1:1,,h2:2', /a relay is missing; write host:port,host:port$/],
    ['http://h1:1', /write host:port,host:port, without scheme, user or path$/],
    ['user@h1:1', /write host:port,host:port, without scheme, user or path$/],
  ] as const) {
    test(`has no relays ${JSON.stringify(jump)}, and says so of them`, () => {
      const error = thrownBy(() => parseLocation('h3:3/f', jump));
      assert.equal(error?.code, 'BAD_ROUTE');
      assert.ok(error.message.startsWith(`-J "${jump}": `), error.message);
      assert.match(error.message, why);
    });
  }

  for (const [text, jump] of [
    ['user:secret@h1:1/x', undefined],
    ['http://user:se@ cret@h1:1/x', undefined],
    ['user:sec?secret@h1:1/x', undefined],
    ['h1:1/@user:secret@h2:2/x', undefined],
    ['h1:1/x', 'h0:1,user:se,cret@h2:2'],
  ] as const) {
    test(`that is wrong is shown without its password: ${text} ${jump ?? ''}`, () => {
      const error = thrownBy(() => parseLocation(text, jump));
      assert.equal(error?.code, 'BAD_ROUTE');
      assert.doesNotMatch(error.message, /cret/);
    });
  }

  test('survives being written and read', () => {
    const location = fc.record(
      {
        route: fc.array(hops, { minLength: 1, maxLength: 5 }),
        path: fc
          .array(fc.string({ unit: anyCharacter, minLength: 1 }).filter((name) => !/^\.{1,2}$/.test(name)))
          .map((names) => `/${names.map((name) => encodeURIComponent(name.toWellFormed())).join('/')}`),
      },
      PLAIN,
    );
    fc.assert(
      fc.property(location, (each) => {
        for (const written of [each, { scheme: 'https' as const, ...each }])
          assert.deepEqual(parseLocation(formatLocation(written)), written);
      }),
    );
  });

  test("is what an original's input file says", () => {
    const route = [{ host: 'h1', port: 1 }];
    assert.deepEqual(locationOf({ name: 'a b/@h2:2/50%?#', route }), {
      route,
      path: '/a%20b/%40h2%3A2/50%25%3F%23',
    });
    assert.equal(locationOf({ name: '/x', route }).path, '/x');
  });
});

test('the prefixes of a route grow to all of it', () => {
  const { route } = parseLocation('h1:1/@h2:2/@h3:3/');
  assert.deepEqual(
    prefixesOf(route).map((prefix) => prefix.map(formatHop).join(' ')),
    ['h1:1', 'h1:1 h2:2', 'h1:1 h2:2 h3:3'],
  );
});
