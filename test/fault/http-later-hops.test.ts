import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parseReply, problemOf, requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { exchange, lonelyServer, rawServer } from '../support/raw.js';
import { repliesIn } from '../support/wire-replies.js';
import { HEAD_BYTES } from '#src/wire/http/head.js';

/** A next hop that says one thing to every request; what it was asked. */
async function sayingHop(t: TestContext, text: string) {
  const requests: string[] = [];
  const { hop } = await rawServer(t, (socket) => {
    let request = '';
    socket.on('data', (chunk: Buffer) => {
      request += chunk.toString('latin1');
      if (!request.endsWith('\r\n\r\n')) return;
      requests.push(request);
      socket.end(text);
    });
  });
  return { hop, requests };
}

/** What acts on a browser's origin, which all hops share, and what nobody knows yet. */
const ACTING = {
  'WWW-Authenticate': 'Basic realm="your password"',
  'Proxy-Authenticate': 'Basic realm="your password"',
  'Authentication-Info': 'nextnonce="x"',
  Link: '<http://other.example/style.css>; rel=preload; as=style',
  'Set-Cookie': 'a=b; Path=/',
  'Content-Security-Policy-Report-Only': 'default-src *; report-uri http://other.example/',
  'Cross-Origin-Opener-Policy': 'unsafe-none',
  'Permissions-Policy': 'camera=*',
  'Speculation-Rules': '"http://other.example/rules.json"',
  SourceMap: 'http://other.example/map',
  'X-Unknown': 'x',
  'Clear-Site-Data': '"cookies", "storage"',
  'Alt-Svc': 'h2="other.example:443"',
  Refresh: '0; url=http://other.example/',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Credentials': 'true',
  'Strict-Transport-Security': 'max-age=31536000',
  NEL: '{"report_to":"x","max_age":1}',
  'Report-To': '{"group":"x"}',
  'Reporting-Endpoints': 'x="http://other.example/"',
} as const;

test("fields of a later hop that act on the browser's origin do not pass, in any case and in 103", async (t) => {
  for (const write of [(name: string) => name, (name: string) => name.toUpperCase()]) {
    const lines = Object.entries(ACTING).map(([name, value]) => `${write(name)}: ${value}\r\n`);
    const fields = `Viaduct: 1\r\n${lines.join('')}`;
    const { hop } = await sayingHop(
      t,
      `HTTP/1.1 103 Early Hints\r\n${fields}\r\nHTTP/1.1 200 OK\r\n${fields}Content-Length: 4\r\n\r\nbody`,
    );
    const relay = await testNode(t);
    const { bytes } = await exchange(t, relay.hop, requestOf([relay.hop, hop], '/file'));
    const replies = repliesIn(bytes);
    assert.deepEqual(
      replies.map(({ status }) => status),
      [103, 200],
    );
    for (const reply of replies) {
      for (const name of Object.keys(ACTING)) assert.equal(reply.fields[name.toLowerCase()], undefined, name);
    }
  }
});

test('an interim reply passes without a word on content that it cannot have', async (t) => {
  for (const field of ['Content-Length: 4', 'Content-Length: 0', 'Transfer-Encoding: chunked']) {
    const { hop } = await sayingHop(
      t,
      `HTTP/1.1 103 Early Hints\r\nViaduct: 1\r\n${field}\r\n\r\n` +
        'HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Length: 4\r\n\r\nbody',
    );
    const [first, relay] = await Promise.all([testNode(t), testNode(t)]);
    const { bytes, how } = await exchange(t, first.hop, requestOf([first.hop, relay.hop, hop], '/file'));
    assert.equal(how, 'end');
    const [interim, final, ...more] = repliesIn(bytes);
    assert.equal(more.length, 0);
    assert.equal(interim?.status, 103, field);
    assert.equal(interim.fields['content-length'], undefined);
    assert.equal(interim.fields['transfer-encoding'], undefined);
    assert.deepEqual([final?.status, final?.body.toString()], [200, 'body']);
  }
});

/** A request whose head has so many bytes. */
function requestOfSize(route: Parameters<typeof requestOf>[0], size: number, fields: readonly string[]) {
  const padded = (length: number): string =>
    requestOf(route, '/file', [...fields, `X: ${'x'.repeat(length)}`]);
  const request = padded(size - padded(0).length);
  assert.equal(request.length, size);
  return request;
}

test('a head that leaves no room for Via is refused by the relay that has none, which dials nobody', async (t) => {
  const relay = await testNode(t);
  const { hop, assertNotDialled } = await lonelyServer(t);
  const nothingOpen = watchDescriptors();
  for (const [via, number] of [
    [[], 1],
    [['Via: 1.1 viaduct'], 2],
    [['Via: 1.0 fred, 1.1 viaduct, 1.1 viaduct', 'Via: 1.1 viaduct'], 4],
  ] as const) {
    const request = requestOfSize([relay.hop, hop], HEAD_BYTES, ['Connection: close', ...via]);
    const { bytes, how } = await exchange(t, relay.hop, request);
    const reply = parseReply(bytes);
    assert.deepEqual([reply.status, how], [431, 'end']);
    const problem = problemOf(reply);
    assert.deepEqual([problem.code, problem.hop, problem.address], ['HEAD_TOO_LARGE', number, undefined]);
    assert.equal(problem.detail, `hop ${number}: the head leaves no room for Via`);
  }
  assert.equal(relay.events.filter(({ type }) => type === 'failed').length, 3);
  await nothingOpen();
  await assertNotDialled();
});

test('a head that has just room for Via passes, and one more byte does not', async (t) => {
  const { hop, requests } = await sayingHop(
    t,
    'HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Length: 4\r\n\r\nbody',
  );
  const relay = await testNode(t);
  const ask = async (size: number) =>
    parseReply(
      (await exchange(t, relay.hop, requestOfSize([relay.hop, hop], size, ['Connection: close']))).bytes,
    );
  const small = 1000;
  assert.equal((await ask(small)).status, 200);
  const grown = (requests[0]?.length ?? 0) - small;
  assert.ok(grown > 0, 'a head grows on its way');
  assert.equal((await ask(HEAD_BYTES - grown)).status, 200);
  assert.equal(requests[1]?.length, HEAD_BYTES);
  assert.equal((await ask(HEAD_BYTES - grown + 1)).status, 431);
  assert.equal(requests.length, 2);
});

test('a type that Connection names does not pass, and counts for nothing', async (t) => {
  const { hop } = await sayingHop(
    t,
    'HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Type: text/plain\r\nConnection: Content-Type\r\nContent-Length: 4\r\n\r\nbody',
  );
  const relay = await testNode(t);
  const { bytes } = await exchange(t, relay.hop, requestOf([relay.hop, hop], '/file'));
  const [reply] = repliesIn(bytes);
  assert.deepEqual(
    [reply?.fields['content-type'], reply?.fields['content-security-policy']],
    [undefined, "sandbox allow-downloads; connect-src 'none'"],
  );
});
