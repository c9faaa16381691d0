import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { remoteError } from '#src/client/http/remote-error.js';
import type { ViaductError } from 'viaduct';
import type { Field } from '#src/wire/http/head.js';
import { outcomeOf } from '#src/cli/exit-codes.js';

const ROUTE = [1, 2, 3].map((number) => ({ host: `h${number}`, port: number }));

/** The error that a reply with these fields and this problem stands for. */
function errorOf(fields: readonly Field[], problem?: unknown, status = 502): ViaductError {
  const type: Field[] = problem === undefined ? [] : [['Content-Type', 'application/problem+json']];
  const body = Buffer.from(typeof problem === 'string' ? problem : JSON.stringify(problem ?? ''));
  const head = { status, reason: 'Reason', minor: 1, fields: [...fields, ...type] };
  return remoteError(head, body, { route: ROUTE, path: '/' });
}

function proxyStatus(type: string, rest = ''): Field[] {
  return [['Proxy-Status', `viaduct;error=${type}${rest}`]];
}

describe('the error type in Proxy-Status', () => {
  for (const [type, code, exit] of [
    ['dns_error', 'DNS_ERROR', 6],
    ['connection_refused', 'REFUSED', 7],
    ['destination_ip_unroutable', 'UNREACHABLE', 7],
    ['destination_ip_prohibited', 'PROHIBITED', 7],
    ['proxy_configuration_error', 'PROXY_ERROR', 97],
    ['http_request_denied', 'NOT_A_NODE', 7],
    ['connection_timeout', 'CONNECT_TIMEOUT', 28],
    ['connection_read_timeout', 'TIMEOUT', 28],
    ['connection_terminated', 'CUT_SHORT', 18],
    ['http_protocol_error', 'BAD_REPLY', 56],
    ['proxy_loop_detected', 'TOO_MANY_HOPS', 2],
    ['made_up', 'HTTP_ERROR', 22],
  ] as const) {
    test(`${type} is ${code}, exit code ${exit}`, () => {
      const error = errorOf(proxyStatus(type, ';next-hop="h2:2";details="hop 2 (h2:2) broke"'));
      assert.deepEqual(
        [error.code, outcomeOf(error).exit, error.message, error.hopAddress, error.hopNumber],
        [code, exit, 'hop 2 (h2:2) broke', 'h2:2', 2],
      );
    });
  }

  test('counts more than the code in the body, whose text counts more than its details', () => {
    const problem = { code: 'NOT_FOUND', detail: 'hop 2 (h2:2) broke – ü', hop: 2 };
    const error = errorOf(proxyStatus('dns_error', ';details="hop 2 (h2:2) broke ? ?"'), problem);
    assert.deepEqual([error.code, error.message], ['DNS_ERROR', 'hop 2 (h2:2) broke – ü']);
  });
});

describe('the code in the body', () => {
  for (const [claimed, code] of [
    ['NOT_FOUND', 'NOT_FOUND'],
    ['FORBIDDEN', 'FORBIDDEN'],
    ['RANGE_NOT_SATISFIABLE', 'RANGE_NOT_SATISFIABLE'],
    ['WRITE_FAILED', 'HTTP_ERROR'],
    ['ABORTED', 'HTTP_ERROR'],
    ['toString', 'HTTP_ERROR'],
    [5, 'HTTP_ERROR'],
  ] as const) {
    test(`${claimed} is ${code}, exit code 22`, () => {
      const error = errorOf([], { code: claimed, detail: 'hop 3 (h3:3): no' });
      assert.deepEqual([error.code, outcomeOf(error).exit, error.message], [code, 22, 'hop 3 (h3:3): no']);
    });
  }
});

/** Of an error on the route a, b, a. */
function numberOf(address: string | undefined, hop: unknown): number | undefined {
  const route = ['a', 'b', 'a'].map((host) => ({ host, port: 1 }));
  const fields: Field[] = [['Content-Type', 'application/problem+json']];
  const body = Buffer.from(JSON.stringify({ code: 'X', detail: 'no', address, hop }));
  return remoteError({ status: 502, reason: '', minor: 1, fields }, body, { route, path: '/' }).hopNumber;
}

describe('the number of the hop', () => {
  for (const [what, address, hop, number] of [
    ['of a host that occurs once', 'b:1', undefined, 2],
    ['of a host that occurs twice', 'a:1', 3, 3],
    ['of a host that occurs twice, not told', 'a:1', undefined, undefined],
    ['of a host that occurs twice, told wrongly', 'a:1', 2, undefined],
    ['of a node that fails itself', undefined, 2, 2],
    ['beyond the route', undefined, 4, undefined],
    ['that is none', undefined, '2', undefined],
    ['of a host that is not on the route', 'c:1', 2, undefined],
  ] as const) {
    test(what, () => assert.equal(numberOf(address, hop), number));
  }
});

describe('what says nothing', () => {
  for (const [what, fields, problem] of [
    ['no body', [], undefined],
    ['a body that is no JSON', [], '{'],
    ['a body that is no object', [], 'null'],
    ['a malformed Proxy-Status', [['Proxy-Status', '"']], undefined],
    ['an empty Proxy-Status', [['Proxy-Status', '']], undefined],
    ['a Proxy-Status of a list', [['Proxy-Status', '(a b);error=5']], undefined],
  ] as const) {
    test(`${what} leaves the status`, () => {
      const error = errorOf(fields, problem, 418);
      assert.equal(error.code, 'HTTP_ERROR');
      assert.match(error.message, /418 \(Reason\)/);
    });
  }
});

test('what comes from afar is made safe to print', () => {
  const error = errorOf([], { code: 'NOT_FOUND', detail: '\u001b[2J', address: '\u001b]0;x' });
  assert.deepEqual([error.message, error.hopAddress], ['\\x1b[2J', '\\x1b]0;x']);
});
