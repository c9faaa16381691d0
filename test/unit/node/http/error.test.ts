import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type BareItem, type Item, Token, parseList } from 'structured-headers';
import { type ErrorCode, ViaductError } from 'viaduct';
import { errorReply } from '#src/node/http/error.js';
import { type Request, parseRequest } from '#src/node/http/request.js';
import { RangeNotSatisfiable } from '#src/node/origin/conditions.js';
import type { Reply } from '#src/node/origin/reply.js';
import { type Field, formatHead, parseReplyHead } from '#src/wire/http/head.js';
import { anyCharacter } from '../../../support/arbitraries.js';

function requestWith(...fields: readonly Field[]): Request {
  return parseRequest(formatHead('GET / HTTP/1.1', [['Host', 'h'], ...fields]), 16);
}

function fieldOf({ fields }: Reply, name: string): string | undefined {
  return fields.find(([field]) => field === name)?.[1];
}

function textOf({ body }: Reply): string {
  assert.ok(Buffer.isBuffer(body));
  return body.toString();
}

/** The only member of Proxy-Status and its parameters, as RFC 9651 reads it. */
function proxyStatusOf(reply: Reply): { by: string; parameters: Record<string, BareItem> } {
  const members = parseList(fieldOf(reply, 'Proxy-Status') ?? '');
  assert.equal(members.length, 1);
  const [name, parameters] = members[0] as Item;
  assert.ok(name instanceof Token);
  return { by: name.toString(), parameters: Object.fromEntries(parameters) };
}

const REFUSED = new ViaductError('REFUSED', 'hop 3 (h4:9000) refused the connection', {
  hopAddress: 'h4:9000',
});
const BEHIND = requestWith(['Via', '1.1 viaduct']);

describe('an error of a next hop', () => {
  test('names it by number and address, once', () => {
    const reply = errorReply(REFUSED, BEHIND);
    assert.equal(reply.status, 502);
    assert.equal(fieldOf(reply, 'Content-Type'), 'application/problem+json');
    assert.equal(fieldOf(reply, 'Cache-Control'), 'no-store');
    assert.deepEqual(JSON.parse(textOf(reply)), {
      type: 'about:blank',
      title: 'Bad Gateway',
      status: 502,
      detail: 'hop 3 (h4:9000) refused the connection',
      code: 'REFUSED',
      hop: 3,
      address: 'h4:9000',
    });
    const { by, parameters } = proxyStatusOf(reply);
    assert.equal(by, 'viaduct');
    assert.equal(String(parameters['error']), 'connection_refused');
    assert.ok(parameters['error'] instanceof Token);
    assert.equal(parameters['next-hop'], 'h4:9000');
    assert.equal(parameters['details'], 'hop 3 (h4:9000) refused the connection');
  });

  for (const [code, status, type] of [
    ['DNS_ERROR', 502, 'dns_error'],
    ['REFUSED', 502, 'connection_refused'],
    ['UNREACHABLE', 502, 'destination_ip_unroutable'],
    ['CONNECT_TIMEOUT', 504, 'connection_timeout'],
    ['PROXY_ERROR', 502, 'proxy_configuration_error'],
    ['PROHIBITED', 403, 'destination_ip_prohibited'],
    ['NOT_A_NODE', 502, 'http_request_denied'],
    ['BAD_REPLY', 502, 'http_protocol_error'],
    ['TIMEOUT', 504, 'connection_read_timeout'],
    ['CUT_SHORT', 502, 'connection_terminated'],
    ['TOO_MANY_HOPS', 400, 'proxy_loop_detected'],
  ] as const) {
    test(`${code} is ${status} and ${type}`, () => {
      const reply = errorReply(new ViaductError(code, 'x', { hopAddress: 'h:1' }), requestWith());
      assert.equal(reply.status, status);
      assert.equal(String(proxyStatusOf(reply).parameters['error']), type);
    });
  }

  test('Proxy-Status can be read, whatever the details (RFC 9651)', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (details) => {
        const reply = errorReply(new ViaductError('REFUSED', details, { hopAddress: 'h:1' }), requestWith());
        const { parameters } = proxyStatusOf(reply);
        assert.equal(parameters['details'], details.replace(/[^\x20-\x7e]/g, '?'));
        // And its head is one.
        assert.deepEqual(parseReplyHead(formatHead('HTTP/1.1 502 x', reply.fields)).fields, reply.fields);
      }),
    );
  });
});

describe('an error of this node', () => {
  for (const [code, status] of [
    ['NOT_FOUND', 404],
    ['FORBIDDEN', 403],
    ['BAD_REQUEST', 400],
    ['URI_TOO_LONG', 414],
    ['HEAD_TOO_LARGE', 431],
    ['VERSION_NOT_SUPPORTED', 505],
    ['MESSAGE_TIMEOUT', 408],
    ['PRECONDITION_FAILED', 412],
    ['READ_FAILED', 500],
    ['INTERNAL', 500],
  ] satisfies readonly (readonly [ErrorCode, number])[]) {
    test(`${code} is ${status}, has this node's number and no Proxy-Status`, () => {
      const reply = errorReply(new ViaductError(code, 'it says why'), BEHIND);
      assert.equal(reply.status, status);
      const { detail, hop } = JSON.parse(textOf(reply)) as { detail: string; hop: number };
      assert.deepEqual([detail, hop], ['hop 2: it says why', 2]);
      assert.equal(fieldOf(reply, 'Proxy-Status'), undefined);
    });
  }

  test('405 has Allow, 416 the size', () => {
    const refused = errorReply(new ViaductError('METHOD_NOT_ALLOWED', 'x'), requestWith());
    assert.equal(fieldOf(refused, 'Allow'), 'GET, HEAD');
    const outside = errorReply(new RangeNotSatisfiable(7), requestWith());
    assert.deepEqual([outside.status, fieldOf(outside, 'Content-Range')], [416, 'bytes */7']);
  });
});

describe('its form goes by Accept', () => {
  const PROBLEM = 'application/problem+json';
  const [HTML, TEXT] = ['text/html; charset=utf-8', 'text/plain; charset=utf-8'];
  for (const [accept, type] of [
    [undefined, PROBLEM],
    ['*/*', PROBLEM],
    ['application/json', PROBLEM],
    ['application/problem+json', PROBLEM],
    ['text/html', HTML],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', HTML],
    ['text/plain', TEXT],
    ['text/plain;q=0.1, text/html;q=0.2', HTML],
    ['text/*;q=0.5, application/json;q=0.4', HTML],
    ['text/html;q=0, */*', PROBLEM],
    ['image/png', PROBLEM],
    ['', PROBLEM],
    [';;q=,,', PROBLEM],
  ] as const) {
    test(`${accept} is ${type}`, () => {
      const reply = errorReply(
        REFUSED,
        accept === undefined ? requestWith() : requestWith(['Accept', accept]),
      );
      assert.equal(fieldOf(reply, 'Content-Type'), type);
    });
  }

  test('text is one line', () => {
    const reply = errorReply(REFUSED, requestWith(['Accept', 'text/plain']));
    assert.equal(textOf(reply), 'hop 3 (h4:9000) refused the connection\n');
  });

  test('a page says it in a sentence, and what a client has chosen is text in it', () => {
    const error = new ViaductError('NOT_FOUND', `there is no file "<script>alert('&')</script>"`);
    const page = textOf(errorReply(error, requestWith(['Accept', 'text/html'])));
    assert.match(page, /<h1>404 Not Found<\/h1>/);
    const text = '&quot;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;&quot;';
    assert.ok(page.includes(`Hop 1 (h): there is no file ${text}.`), page);
    assert.equal(page.includes('<script'), false);
  });
});
