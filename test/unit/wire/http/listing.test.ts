import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { ViaductError } from 'viaduct';
import { type Entry, LISTING_BYTES, LISTING_LINE_BYTES, ListingDecoder } from '#src/wire/http/listing.js';

const TIME = '2001-02-03T04:05:06.000Z';
const A_FILE = `{"name":"a","type":"file","size":6,"modified":"${TIME}"}`;

const listing = (...entries: readonly string[]): string =>
  `{"path":"/","entries":[\n${entries.map((entry, index) => `${entry}${index < entries.length - 1 ? ',' : ''}\n`).join('')}]}\n`;

function decode(...chunks: readonly (string | Uint8Array)[]): readonly Entry[] {
  const decoder = new ListingDecoder();
  for (const chunk of chunks) decoder.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return decoder.end();
}

function assertRefused(why: RegExp, ...chunks: readonly (string | Uint8Array)[]): void {
  assert.throws(
    () => decode(...chunks),
    (error) => {
      assert.ok(error instanceof ViaductError);
      assert.equal(error.code, 'BAD_REPLY');
      assert.match(error.message, /^sent a malformed listing: /);
      assert.match(error.message, why);
      assert.doesNotMatch(error.message, /[\p{Cc}\u202e]/u);
      return true;
    },
  );
}

const nameOf = (name: string): string =>
  JSON.stringify({ name, type: 'file', size: 0, modified: TIME }).replaceAll('\u2028', '\\u2028');

test('files, folders, and nothing at all', () => {
  assert.deepEqual(decode(listing()), []);
  const folder = `{"name":"sub","type":"folder","modified":"${TIME}"}`;
  assert.deepEqual(decode(listing(folder, A_FILE)), [
    { kind: 'folder', name: 'sub', modified: new Date(TIME) },
    { kind: 'file', name: 'a', size: 6, modified: new Date(TIME) },
  ]);
});

test('what a later version may add is passed over', () => {
  const entry = A_FILE.replace('}', ',"mode":420}');
  assert.equal(decode(listing(entry))[0]?.name, 'a');
});

test('any name of one segment comes as it was, however the bytes are cut', () => {
  const names = fc.array(
    fc.string({ unit: 'grapheme', minLength: 1 }).filter((name) => !/^\.\.?$|[/\0]/.test(name)),
  );
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 20 }), (all, size) => {
      const bytes = Buffer.from(listing(...all.map(nameOf)));
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      assert.deepEqual(
        decode(...chunks).map(({ name }) => name),
        all,
      );
    }),
  );
});

describe('hostile names are refused', () => {
  for (const name of ['', '.', '..', '/', '../x', '/etc/passwd', 'a/b', 'a/', 'nul\0', '\ud800', 'x\udfff']) {
    test(JSON.stringify(name), () => assertRefused(/ is not a name$/, listing(nameOf(name))));
  }
  test('with escapes, which are not shown as they are', () => {
    assertRefused(/"\.\.\/\\u001b\[2J\\u\{202e\}" is not a name$/, listing(nameOf('../\u001b[2J\u202e')));
  });
});

describe('what is not a listing is refused', () => {
  const whole = listing(A_FILE, A_FILE);
  const other = (from: string, to: string): string => listing(A_FILE.replace(from, to));
  const cases: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ['nothing', '', /does not end as one$/],
    ['a page', '<!doctype html>\n<p>', /does not begin as one$/],
    ['another object', '{"entries":[]}\n', /does not begin as one$/],
    ['its beginning alone', whole.slice(0, -4), /does not end as one$/],
    ['something after it', `${whole}\n`, /something follows it$/],
    ['a missing comma', whole.replace(',\n', '\n'), /a comma is missing$/],
    ['a comma too many', whole.replace(']}', ',\n]}'), /a comma is missing$/],
    ['a comma at the end', whole.replace('}\n]}', '},\n]}'), /an entry is missing$/],
    ['broken JSON', other('"a"', '"a'), /an entry is not a JSON object$/],
    ['a number for an entry', listing('7'), /an entry is not a JSON object$/],
    ['null for an entry', listing('null'), /an entry is not a JSON object$/],
    ['an array for an entry', listing('[]'), /nothing is not a name$/],
    ['a name that is a number', other('"a"', '7'), /7 is not a name$/],
    ['no name', other('"name":"a",', ''), /nothing is not a name$/],
    ['a name by way of the prototype', listing('{"__proto__":{"name":"a"}}'), /nothing is not a name$/],
    ['another type', other('"file"', '"link"'), /"a" is neither file nor folder$/],
    ['no size', other('"size":6,', ''), /"a" has no size$/],
    ['a negative size', other('6,', '-6,'), /"a" has no size$/],
    ['half a byte', other('6,', '6.5,'), /"a" has no size$/],
    ['a size beyond counting', other('6,', '9007199254740993,'), /"a" has no size$/],
    ['a size that is text', other('6,', '"6",'), /"a" has no size$/],
    ['no time', other(`,"modified":"${TIME}"`, ''), /"a" has no time$/],
    ['a time in words', other(TIME, 'yesterday'), /"a" has no time$/],
    ['a day that is none', other(TIME, '2001-13-03T04:05:06.000Z'), /"a" has no time$/],
    ['bytes that are not UTF-8', Buffer.from(other('"a"', '"\xff"'), 'latin1'), /is not UTF-8$/],
    ['half a character at the end', Buffer.concat([Buffer.from(whole), Buffer.of(0xc3)]), /is not UTF-8$/],
  ];
  for (const [what, text, why] of cases) test(what, () => assertRefused(why, text));
});

test('a line without end is refused before it is held', () => {
  assertRefused(/a line is too long$/, `{"path":"${'x'.repeat(LISTING_LINE_BYTES)}`);
});

test('a listing without end is refused', () => {
  const decoder = new ListingDecoder();
  decoder.push(Buffer.from('{"path":"/","entries":[\n'));
  const line = Buffer.from(`${A_FILE}${' '.repeat(LISTING_LINE_BYTES - 100)},\n`);
  assert.throws(() => {
    for (let bytes = 0; bytes <= LISTING_BYTES; bytes += line.length) decoder.push(line);
  }, /sent a malformed listing: it has more than 134217728 bytes$/);
});
