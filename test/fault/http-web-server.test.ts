import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatHop } from 'viaduct';
import { parseReply, problemOf, proxyStatusOf, requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { exchange, rawServer } from '../support/raw.js';

/** An ordinary web server that wishes for more than a node would let it. */
const PAGE = [
  'HTTP/1.1 200 OK',
  'Content-Type: text/html',
  'Content-Length: 4',
  'Set-Cookie: id=1',
  'Set-Cookie2: id=2',
  'Service-Worker-Allowed: /',
  "Content-Security-Policy: script-src 'unsafe-inline'",
  'Referrer-Policy: unsafe-url',
  'X-Content-Type-Options: none',
  'X-Own: kept',
  'X-Hop: dropped',
  'Keep-Alive: timeout=5',
  'Connection: keep-alive, X-Hop',
  'Via: 1.1 cache',
  '',
  'page',
].join('\r\n');

async function webServer(t: TestContext) {
  const requests: string[] = [];
  const { hop } = await rawServer(t, (socket) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      requests.push(text);
      socket.end(PAGE);
    });
  });
  return { hop, requests };
}

async function ask(
  t: TestContext,
  route: readonly HostHop[],
  fields: readonly string[] = ['Connection: close'],
) {
  const [first] = route;
  assert.ok(first);
  return parseReply((await exchange(t, first, requestOf(route, '/page?q=1', fields))).bytes);
}

test('an ordinary web server is not relayed, also not where a rule allows its whole network', async (t) => {
  const { hop } = await webServer(t);
  for (const allowHops of [undefined, ['127.0.0.0/8'], ['127.0.0.0/31'], [`0.0.0.0/0:${hop.port}`]]) {
    const relay = await testNode(t, { allowHops });
    const nothingOpen = watchDescriptors();
    const reply = await ask(t, [relay.hop, hop]);
    assert.equal(reply.status, 502);
    assert.deepEqual(proxyStatusOf(reply), {
      by: 'viaduct',
      error: 'http_request_denied',
      hop: formatHop(hop),
      details: `hop 2 (${formatHop(hop)}) is not a node; --allow-hop ${formatHop(hop)} would relay it all the same`,
    });
    assert.ok(!reply.body.includes('page'));
    await nothingOpen();
  }
});

test('one that the operator has named is relayed, by outer relays too, as tame as a node', async (t) => {
  const { hop } = await webServer(t);
  for (const rule of [formatHop(hop), '127.0.0.1', '127.0.0.1/32']) {
    const inner = await testNode(t, { allowHops: [rule] });
    const outer = await testNode(t);
    const first = await testNode(t);
    const nothingOpen = watchDescriptors();
    const { status, fields, body } = await ask(t, [first.hop, outer.hop, inner.hop, hop]);
    assert.deepEqual([status, body.toString()], [200, 'page']);
    const shown = Object.fromEntries(fields);
    delete shown['date'];
    assert.deepEqual(shown, {
      'content-type': 'text/html',
      'content-length': '4',
      connection: 'close',
      via: '1.1 cache, 1.1 viaduct, 1.1 viaduct, 1.1 viaduct',
      viaduct: '1',
      'content-security-policy': "sandbox allow-downloads; connect-src 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    await nothingOpen();
  }
});

test('a rule that names one host opens no other', async (t) => {
  const { hop } = await webServer(t);
  const other = await webServer(t);
  const relay = await testNode(t, { allowHops: [formatHop(hop), `localhost:${other.hop.port}`] });
  const reply = await ask(t, [relay.hop, other.hop]);
  assert.equal(reply.status, 403);
  assert.equal(problemOf(reply).code, 'PROHIBITED');
  assert.deepEqual(other.requests, []);
});

test('a next hop gets a request of its own, without secrets and without what concerns one connection', async (t) => {
  const { hop, requests } = await webServer(t);
  const inner = await testNode(t, { allowHops: ['127.0.0.1'] });
  const outer = await testNode(t);
  await ask(
    t,
    [outer.hop, inner.hop, hop],
    [
      'Cookie: secret',
      'cookie: secret',
      'Authorization: Basic secret',
      'Proxy-Authorization: Basic secret',
      'X-Hop: secret',
      'Connection: X-Hop, close, Range',
      'Keep-Alive: timeout=5',
      'TE: trailers',
      'Expect: 100-continue',
      'Proxy-Connection: keep-alive',
      'Accept: text/html',
      'Range: bytes=0-1',
      'Via: 1.0 fred',
      'Content-Length: 0',
    ],
  );
  const [traceparent] = /^traceparent: .*$/m.exec(requests.join()) ?? [];
  assert.deepEqual(requests, [
    [
      'GET /page?q=1 HTTP/1.1',
      `Host: ${formatHop(hop)}`,
      'Accept: text/html',
      'Via: 1.0 fred, 1.1 viaduct, 1.1 viaduct',
      'Viaduct-Client: loopback',
      traceparent ?? '',
      'Connection: close',
      '',
      '',
    ].join('\r\n'),
  ]);
});

test('what a client sends after its request is a request of its own, and reaches a next hop only as that', async (t) => {
  const { hop, requests } = await webServer(t);
  const relay = await testNode(t, { allowHops: ['127.0.0.1'] });
  const request = requestOf([relay.hop, hop], '/page', []);
  const { bytes } = await exchange(
    t,
    relay.hop,
    `${request}POST /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n${request}`,
  );
  const statuses = bytes.toString().match(/HTTP\/1\.1 \d{3}/g);
  assert.deepEqual(statuses, ['HTTP/1.1 200', 'HTTP/1.1 405']);
  assert.equal(requests.length, 1);
  assert.ok(!requests[0]?.includes('smuggled'));
});
