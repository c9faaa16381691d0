import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listOf, parseReplyHead, parseRequestHead, TARGET_BYTES, valuesOf } from '#src/wire/http/head.js';
import { codeOf } from '../../../support/failures.js';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
const request = (lines: readonly string[]) => parseRequestHead(bytesOf(`${lines.join('\r\n')}\r\n\r\n`));
const reply = (lines: readonly string[]) => parseReplyHead(bytesOf(`${lines.join('\r\n')}\r\n\r\n`));

describe('a request head', () => {
  test('is read as it stands', () => {
    const head = request([
      'GET /a?b HTTP/1.1',
      'Host: h:1',
      'X-Empty:',
      'x-PAD: \t a \t b \t ',
      'X-Empty: 2',
    ]);
    assert.deepEqual(head, {
      method: 'GET',
      target: '/a?b',
      minor: 1,
      fields: [
        ['Host', 'h:1'],
        ['X-Empty', ''],
        ['x-PAD', 'a \t b'],
        ['X-Empty', '2'],
      ],
    });
    assert.deepEqual(valuesOf(head.fields, 'x-empty'), ['', '2']);
    assert.deepEqual(listOf(head.fields, 'x-empty'), ['2']);
  });

  test('may be of HTTP/1.0, without Host', () => {
    assert.equal(request(['HEAD / HTTP/1.0']).minor, 0);
    assert.equal(request(['HEAD / HTTP/1.0', 'Host: x']).minor, 0);
  });

  for (const host of [
    '',
    'h',
    'h:',
    'h:80',
    '127.0.0.1:80',
    '[::1]',
    '[::1]:80',
    'a_b.example',
    'a%20b',
    "!$&'()*+,;=~",
  ]) {
    test(`may have the Host "${host}"`, () => {
      assert.equal(request(['GET / HTTP/1.1', `Host: ${host}`]).method, 'GET');
    });
  }

  for (const host of [
    'a b',
    'a/b',
    'a@b',
    'h:x',
    'h:80:80',
    '[::1',
    '::1',
    'a?b',
    'a#b',
    '"a"',
    'ä',
    'a\\b',
    'h,h:1:',
  ]) {
    test(`has not the Host "${host}" (RFC 9112 §3.2)`, () => {
      assert.equal(
        codeOf(() => request(['GET / HTTP/1.1', `Host: ${host}`])),
        'BAD_REQUEST',
      );
    });
  }

  test('has a target of 8 KiB and not more', () => {
    const target = `/${'x'.repeat(TARGET_BYTES - 1)}`;
    assert.equal(request([`GET ${target} HTTP/1.1`, 'Host: x']).target, target);
    assert.equal(
      codeOf(() => request([`GET ${target}x HTTP/1.1`, 'Host: x'])),
      'URI_TOO_LONG',
    );
  });

  for (const version of ['0.9', '2.0', '3.0', '9.9']) {
    test(`is not of HTTP/${version}`, () => {
      assert.equal(
        codeOf(() => request([`GET / HTTP/${version}`, 'Host: x'])),
        'VERSION_NOT_SUPPORTED',
      );
    });
  }

  for (const method of ['GET', 'HEAD']) {
    test(`may say that ${method} has no content`, () => {
      assert.equal(request([`${method} / HTTP/1.1`, 'Host: x', 'Content-Length: 0']).method, method);
    });
  }

  test('may have content with another method', () => {
    assert.equal(request(['POST / HTTP/1.1', 'Host: x', 'Content-Length: 5']).method, 'POST');
    assert.equal(request(['PUT / HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked']).method, 'PUT');
  });
});

describe('a reply head', () => {
  for (const [line, status, reason] of [
    ['HTTP/1.1 200 OK', 200, 'OK'],
    ['HTTP/1.0 404 Not  Found', 404, 'Not  Found'],
    ['HTTP/1.1 200 ', 200, ''],
    ['HTTP/1.1 200', 200, ''],
    ['HTTP/1.1 999 \u00e4\t!', 999, '\u00e4\t!'],
    ['HTTP/1.1 100 Continue', 100, 'Continue'],
  ] as const) {
    test(`may begin with ${JSON.stringify(line)}`, () => {
      const head = reply([line, 'A: b']);
      assert.deepEqual([head.status, head.reason, head.fields], [status, reason, [['A', 'b']]]);
    });
  }

  for (const line of [
    '',
    'HTTP/1.1',
    'HTTP/1.1 ',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 x',
    'HTTP/1.1 2xx OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/1.10 200 OK',
    'http/1.1 200 OK',
    ' HTTP/1.1 200 OK',
    'HTTP/1.1 200 O\u0001K',
    'HTTP/1.1 200 O\u007fK',
    'ICY 200 OK',
  ]) {
    test(`does not begin with ${JSON.stringify(line)}`, () => {
      assert.equal(
        codeOf(() => reply([line])),
        'BAD_REPLY',
      );
    });
  }
});

const REFUSED_FIELDS: readonly (readonly [string, readonly string[]])[] = [
  ['folding (RFC 9112 §5.2)', ['A: b', ' c']],
  ['folding with a tab', ['A: b', '\tc: d']],
  ['white space before the first field (§2.2)', [' A: b']],
  ['white space before the colon (§5.1)', ['A : b']],
  ['a tab before the colon', ['A\t: b']],
  ['no colon', ['A']],
  ['no name', [': b']],
  ['a name that is no token', ['A(b): c']],
  ['a name above ASCII', ['\u00e4: b']],
  ['a NUL', ['A: b\0c']],
  ['a bare CR (§2.2)', ['A: b\rC: d']],
  ['a bare LF', ['A: b\nC: d']],
  ['a control character', ['A: b\u001bc']],
  ['DEL', ['A: \u007f']],
  ['Content-Length twice', ['Content-Length: 0', 'content-length: 0']],
  ['Content-Length that is a list', ['Content-Length: 0, 0']],
  ['Content-Length with a sign', ['Content-Length: +0']],
  ['Content-Length below zero', ['Content-Length: -1']],
  ['Content-Length in hex', ['Content-Length: 0x0']],
  ['Content-Length that is empty', ['Content-Length:']],
  ['Content-Length out of bounds', ['Content-Length: 9999999999999999999999']],
  ['Transfer-Encoding twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
  ['Transfer-Encoding and Content-Length', ['Transfer-Encoding: chunked', 'Content-Length: 0']],
];

describe('refused in both', () => {
  for (const [what, lines] of REFUSED_FIELDS) {
    test(what, () => {
      assert.equal(
        codeOf(() => request(['POST / HTTP/1.1', 'Host: x', ...lines])),
        'BAD_REQUEST',
      );
      assert.equal(
        codeOf(() => reply(['HTTP/1.1 200 OK', 'Viaduct: 1', ...lines])),
        'BAD_REPLY',
      );
    });
  }

  // RFC 9112 §6.1: such a message's framing is faulty.
  test('Transfer-Encoding in HTTP/1.0', () => {
    const coding = 'Transfer-Encoding: chunked';
    assert.equal(
      codeOf(() => request(['POST / HTTP/1.0', coding])),
      'BAD_REQUEST',
    );
    assert.equal(
      codeOf(() => reply(['HTTP/1.0 200 OK', coding])),
      'BAD_REPLY',
    );
  });
});
