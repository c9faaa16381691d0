import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type Dialect, dialectOf } from '#src/wire/sniff.js';
import { anyCharacter } from '../../support/arbitraries.js';

/** What a node makes of a text that comes byte by byte: the dialect after each byte, without repetitions. */
function course(text: string): Dialect[] {
  const bytes = Buffer.from(text, 'latin1');
  const steps: Dialect[] = [];
  for (let length = 0; length <= bytes.length; length += 1) {
    const dialect = dialectOf(bytes.subarray(0, length));
    if (steps.at(-1) !== dialect) steps.push(dialect);
  }
  return steps;
}

describe('byte by byte', () => {
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']) {
    test(`${method} is undecided up to its line's end and then HTTP`, () => {
      assert.deepEqual(course(`${method} /a%20b?c HTTP/1.1\r\nHost: x\r\n\r\n`), ['undecided', 'http']);
    });
  }

  for (const [what, text, expected] of [
    ['HTTP/1.0', 'GET / HTTP/1.0\r\n', ['undecided', 'http']],
    ['a version that is not spoken', 'GET / HTTP/2.0\r\n', ['undecided', 'http']],
    ['a bare LF, which is for the strict parser to refuse', 'GET / HTTP/1.1\n', ['undecided', 'http']],
    ['absolute form', 'GET http://h/x HTTP/1.1\r\n', ['undecided', 'http']],
    ['a target with bytes above ASCII', 'GET /\u00e4 HTTP/1.1\r\n', ['undecided', 'http']],
    ['a method that is not known', 'BREW / HTTP/1.1\r\n', ['undecided', 'classic', 'http']],
    ['a file called GET', 'GET\n', ['undecided', 'classic']],
    ['a file called GET it', 'GET it\n', ['undecided', 'classic']],
    ['a name with a version in it', 'GET the HTTP/1.1 book\n', ['undecided', 'classic']],
    ['HTTP/0.9', 'GET /\r\n', ['undecided', 'classic']],
    ['a method in lower case', 'get it\n', ['undecided', 'classic']],
    ['a word that begins as a method does', 'GETTING started\n', ['undecided', 'classic']],
    ['an ordinary name', 'dir/file\nh 1\n\n', ['undecided', 'classic']],
    ['an empty line first', '\nGET / HTTP/1.1\r\n', ['undecided', 'classic']],
    ['two spaces', 'GET  / HTTP/1.1\r\n', ['undecided', 'classic']],
    ['no minor version', 'GET / HTTP/1\r\n', ['undecided', 'classic']],
    ['a TLS greeting', '\u0016\u0003\u0001', ['undecided', 'tls']],
    ['an SSH greeting', 'SSH-2.0-x\r\n', ['undecided', 'classic']],
  ] as const) {
    test(what, () => assert.deepEqual(course(text), expected));
  }
});

test('what is said of a whole first line does not change with what follows', () => {
  const line = fc.oneof(
    fc.constantFrom('GET / HTTP/1.1\r\n', 'GET it\n', 'x\n', 'PUT /x HTTP/1.1\n'),
    fc.string({ unit: anyCharacter }).map((text) => `${text.replaceAll('\n', '')}\n`),
  );
  fc.assert(
    fc.property(line, fc.uint8Array(), (text, after) => {
      const bytes = Buffer.from(text, 'latin1');
      const dialect = dialectOf(bytes);
      assert.notEqual(dialect, 'undecided');
      assert.equal(dialectOf(Buffer.concat([bytes, after])), dialect);
    }),
  );
});

test('no request of a known method is ever taken for classic on its way', () => {
  const requests = fc.tuple(
    fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS'),
    fc.stringMatching(/^[\x21-\x7e\x80-\xff]{1,30}$/),
    fc.constantFrom('1.0', '1.1', '3.7'),
  );
  fc.assert(
    fc.property(requests, ([method, target, version]) => {
      assert.deepEqual(course(`${method} ${target} HTTP/${version}\r\n`), ['undecided', 'http']);
    }),
  );
});
