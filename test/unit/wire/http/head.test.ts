import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  type Field,
  formatHead,
  HEAD_BYTES,
  parseReplyHead,
  parseRequestHead,
  splitHead,
} from '#src/wire/http/head.js';
import { failsWell } from '../../../support/arbitraries.js';
import { codeOf } from '../../../support/failures.js';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('a head is cut off', () => {
  test('with its empty line, at no byte before', () => {
    const text = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    for (let length = 0; length < text.length; length += 1) {
      assert.equal(splitHead(bytesOf(text.slice(0, length))), undefined);
    }
    const split = splitHead(bytesOf(`${text}rest\r\n\r\n`));
    assert.deepEqual([split?.head.toString(), split?.rest.toString()], [text, 'rest\r\n\r\n']);
  });

  test('at 16 KiB and not above, whatever follows', () => {
    const head = bytesOf(`${'x'.repeat(HEAD_BYTES - 4)}\r\n\r\n`);
    assert.equal(splitHead(head)?.head.length, HEAD_BYTES);
    assert.equal(splitHead(Buffer.concat([head, head]))?.rest.length, HEAD_BYTES);
    assert.equal(splitHead(Buffer.alloc(HEAD_BYTES, 'x')), undefined);
    for (const bytes of [Buffer.concat([bytesOf('x'), head]), Buffer.alloc(HEAD_BYTES + 1, 'x')]) {
      assert.equal(
        codeOf(() => splitHead(bytes)),
        'HEAD_TOO_LARGE',
      );
    }
  });

  // Waiting for a CRLF that never comes would end at a deadline, and name the wrong reason.
  for (const end of ['\n\n', '\r\n\n', '\n\r\n']) {
    test(`at ${JSON.stringify(end)} too, so that it can be refused at once`, () => {
      const split = splitHead(bytesOf(`GET / HTTP/1.1\r\nHost: x${end}rest`));
      assert.ok(split);
      assert.equal(split.rest.toString(), 'rest');
      assert.equal(
        codeOf(() => parseRequestHead(split.head)),
        'BAD_REQUEST',
      );
      const answered = splitHead(bytesOf(`HTTP/1.1 200 OK\r\nViaduct: 1${end}rest`));
      assert.ok(answered);
      assert.equal(
        codeOf(() => parseReplyHead(answered.head)),
        'BAD_REPLY',
      );
    });
  }
});

test('a head has at most 200 fields: each costs more than its bytes', () => {
  const [most, more] = [200, 201].map((count) => bytesOf(`Host: h\r\n${'a:\r\n'.repeat(count - 1)}\r\n`));
  assert.ok(most && more);
  const request = Buffer.from('GET / HTTP/1.1\r\n');
  const reply = Buffer.from('HTTP/1.1 200 OK\r\n');
  assert.equal(parseRequestHead(Buffer.concat([request, most])).fields.length, 200);
  assert.equal(parseReplyHead(Buffer.concat([reply, most])).fields.length, 200);
  assert.throws(() => parseRequestHead(Buffer.concat([request, more])), { code: 'HEAD_TOO_LARGE' });
  assert.throws(() => parseReplyHead(Buffer.concat([reply, more])), { code: 'BAD_REPLY' });
});

describe('properties', () => {
  const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
  const value = fc.stringMatching(
    /^[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?$/,
  );
  const fields: fc.Arbitrary<Field[]> = fc.array(
    fc.tuple(
      token.filter((name) => !/^(?:host|content-length|transfer-encoding)$/i.test(name)),
      fc.oneof(value, fc.constant('')),
    ),
    { maxLength: 8 },
  );

  test('what was formatted is split off and parsed, however the bytes are cut', () => {
    fc.assert(
      fc.property(fields, fc.uint8Array(), fc.nat(), (own, after, cut) => {
        const all: Field[] = [['Host', 'h'], ...own];
        const head = formatHead('GET /x HTTP/1.1', all);
        const split = splitHead(Buffer.concat([head, after]));
        assert.deepEqual(split, { head, rest: Buffer.from(after) });
        assert.deepEqual(parseRequestHead(head).fields, all);
        assert.deepEqual(parseReplyHead(formatHead('HTTP/1.1 200 OK', own)).fields, own);
        assert.equal(splitHead(head.subarray(0, cut % head.length)), undefined);
      }),
    );
  });

  test('whatever the bytes, nothing but a ViaductError is thrown', () => {
    const pieces = fc.constantFrom(
      'GET / HTTP/1.1',
      'HTTP/1.1 200 OK',
      '\r\n',
      '\n',
      '\r',
      ' ',
      '\t',
      ':',
      ',',
      'Host: x',
      'Content-Length: 1',
      'Transfer-Encoding: chunked',
      '\0',
      '\u00ff',
      '\r\n\r\n',
    );
    const anything = fc.oneof(
      fc.array(pieces).map((parts) => bytesOf(parts.join(''))),
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(anything, (bytes) =>
        [() => splitHead(bytes), () => parseRequestHead(bytes), () => parseReplyHead(bytes)].every(failsWell),
      ),
      { numRuns: 2000 },
    );
  });
});
