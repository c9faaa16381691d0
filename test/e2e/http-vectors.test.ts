import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { testNode } from '../support/nodes.js';
import { exchange, lonelyServer } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { get, repliesIn } from '../support/wire-replies.js';

/** A request that has to be answered with `status`, once; `P` in it stands for the path. */
interface Vector {
  readonly what: string;
  readonly text: string;
  readonly status: number;
  readonly fields?: Readonly<Record<string, string>>;
}

const GET = 'GET P HTTP/1.1\r\n';
const HOST = 'Host: localhost\r\n';
const END = '\r\n';
/** What may come after a malformed head is a second request for those who find the end elsewhere. */
const SMUGGLED = `GET P HTTP/1.1\r\n${HOST}X-Smuggled: 1\r\n\r\n`;

const bad = (section: string, what: string, text: string): Vector => ({
  what: `${section}: ${what}`,
  text,
  status: 400,
});

const VECTORS: readonly Vector[] = [
  bad('9112 §2.2', 'bare LF at the end of each line', 'GET P HTTP/1.1\nHost: localhost\n\n'),
  bad('9112 §2.2', 'bare LF at the end of one line', `${GET}Host: localhost\nA: b\r\n\r\n`),
  bad('9112 §2.2', 'bare LF as the empty line', `${GET}Host: localhost\r\n\n`),
  bad('9112 §2.2', 'bare CR in a field', `${GET}${HOST}A: b\rC: d\r\n\r\n`),
  bad('9112 §2.2', 'bare CR before CRLF', `${GET}${HOST}A: b\r\r\n\r\n`),
  bad('9112 §2.2', 'white space before the first field', `${GET} ${HOST}${END}`),
  bad('9112 §2.2', 'white space before the first field, a tab', `${GET}\t${HOST}${END}`),
  { what: '9112 §2.3: HTTP/2.0', text: `GET P HTTP/2.0\r\n${HOST}${END}`, status: 505 },
  { what: '9112 §2.3: HTTP/0.9 with a version', text: `GET P HTTP/0.9\r\n${HOST}${END}`, status: 505 },
  {
    what: '9112 §3: a target of more than 8 KiB',
    text: `GET P${'x'.repeat(8 * 1024)} HTTP/1.1\r\n${HOST}${END}`,
    status: 414,
  },
  {
    what: '9112 §3: a target without end',
    text: `GET P${'x'.repeat(17 * 1024)}`,
    status: 414,
  },
  bad('9112 §3.2', 'no Host', `${GET}${END}`),
  bad('9112 §3.2', 'two Hosts', `${GET}${HOST}${HOST}${END}`),
  bad(
    '9112 §3.2',
    'two Hosts, in other cases, not side by side',
    `${GET}HOST: localhost\r\nA: b\r\nhost: other\r\n\r\n`,
  ),
  bad('9112 §3.2', 'two Hosts in HTTP/1.0', `GET P HTTP/1.0\r\n${HOST}Host: other\r\n\r\n`),
  bad('9112 §3.2', 'a Host that is none', `${GET}Host: a b\r\n\r\n`),
  bad('9112 §3.2', 'a Host with a user', `${GET}Host: u@h\r\n\r\n`),
  bad('9112 §3.2.1', 'a target that is no path', `GET x HTTP/1.1\r\n${HOST}${END}`),
  bad('9112 §3.2.2', 'an absolute form without Host', 'GET http://xP HTTP/1.1\r\n\r\n'),
  bad('9112 §3.2.2', 'an absolute form of another scheme', `GET ftp://xP HTTP/1.1\r\n${HOST}${END}`),
  bad('9112 §3.2.4', 'an asterisk', `GET * HTTP/1.1\r\n${HOST}${END}`),
  bad('9110 §4.2.1', 'an absolute form with an empty host', `GET http://P HTTP/1.1\r\n${HOST}${END}`),
  bad('9112 §5.1', 'white space before the colon', `${GET}${HOST}A : b\r\n\r\n`),
  bad('9112 §5.1', 'white space between Content-Length and colon', `${GET}${HOST}Content-Length : 5\r\n\r\n`),
  bad('9112 §5.2', 'obsolete folding', `${GET}${HOST}A: b\r\n c\r\n\r\n`),
  bad('9112 §5.2', 'obsolete folding of Host', `${GET}Host:\r\n x\r\n\r\n`),
  bad('9110 §5.1', 'a field name that is no token', `${GET}${HOST}A(: b\r\n\r\n`),
  bad('9110 §5.1', 'a field without name', `${GET}${HOST}: b\r\n\r\n`),
  bad('9112 §5', 'a line without colon', `${GET}${HOST}nothing\r\n\r\n`),
  bad('9110 §5.5', 'NUL in a field', `${GET}${HOST}A: b\0\r\n\r\n`),
  bad('9110 §5.5', 'a control character in a field', `${GET}${HOST}A: \u0008\r\n\r\n`),
  bad(
    '9112 §6.1',
    'Transfer-Encoding and Content-Length',
    `${GET}${HOST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ),
  bad(
    '9112 §6.1',
    'Transfer-Encoding in HTTP/1.0',
    `GET P HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ),
  bad(
    '9112 §6.1',
    'two Transfer-Encodings',
    `${GET}${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n`,
  ),
  bad('9112 §6.3', 'two Content-Lengths', `${GET}${HOST}Content-Length: 0\r\nContent-Length: 5\r\n\r\n`),
  bad(
    '9112 §6.3',
    'two equal Content-Lengths',
    `${GET}${HOST}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`,
  ),
  ...['+1', '-1', '0x1', '1, 1', '', '1e1', '9'.repeat(30), '1 1'].map((length) =>
    bad('9110 §8.6', `Content-Length "${length}"`, `${GET}${HOST}Content-Length: ${length}\r\n\r\n`),
  ),
  bad('9110 §9.3.1', 'GET with content', `${GET}${HOST}Content-Length: ${SMUGGLED.length}\r\n\r\n`),
  bad('9110 §9.3.1', 'GET with chunks', `${GET}${HOST}Transfer-Encoding: chunked\r\n\r\n`),
  bad('9110 §9.3.2', 'HEAD with content', `HEAD P HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\n`),
  {
    what: '9110 §5.4: a head of more than 16 KiB',
    text: `${GET}${HOST}A: ${'x'.repeat(16 * 1024)}\r\n\r\n`,
    status: 431,
  },
  {
    what: '9110 §5.4: a head without end',
    text: `${GET}${`A: ${'x'.repeat(1000)}\r\n`.repeat(20)}`,
    status: 431,
  },
  ...['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'get', 'BREW'].map((method) => ({
    what: `9110 §15.5.6: ${method}`,
    text: `${method} P HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
    status: 405,
    fields: { allow: 'GET, HEAD' },
  })),
  {
    what: '9110 §9.3.6: CONNECT',
    text: `CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n`,
    status: 405,
    fields: { allow: 'GET, HEAD' },
  },
  {
    what: '9110 §9.3.7: OPTIONS *',
    text: `OPTIONS * HTTP/1.1\r\n${HOST}${END}`,
    status: 405,
    fields: { allow: 'GET, HEAD' },
  },
  {
    what: '9110 §10.1.1: Expect with a method that is refused',
    text: `POST P HTTP/1.1\r\n${HOST}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`,
    status: 405,
  },
  {
    what: 'a service worker',
    text: `${GET}${HOST}Service-Worker: script\r\nConnection: close\r\n\r\n`,
    status: 403,
    fields: { connection: 'close' },
  },
];

/** A node that serves `/file`, and the path of it through a relay, which nothing may follow. */
async function prepare(t: TestContext, relayed: boolean) {
  const root = tempFolder(t);
  randomFile(root, 'file', 100);
  const node = await testNode(t, { root });
  const next = await lonelyServer(t);
  return { node, path: relayed ? `/@${formatHop(next.hop)}/file` : '/file', next };
}

for (const relayed of [false, true]) {
  const where = relayed ? 'with a hop left' : 'at the origin';
  for (const { what, text, status, fields = {} } of VECTORS) {
    test(`${what}, ${where}: ${status}, once, and the connection ends`, async (t) => {
      const { node, path, next } = await prepare(t, relayed);
      // What follows a malformed head must not be answered, however it is read.
      const whole = `${text}${text.endsWith('\r\n') ? SMUGGLED : ''}`.replaceAll('P HTTP', `${path} HTTP`);
      const request = whole.replace('GET Px', `GET ${path}x`);
      const { bytes, how } = await exchange(t, node.hop, Buffer.from(request, 'latin1'));
      assert.equal(how, 'end');
      const replies = repliesIn(bytes, [text.split(' ', 1)[0] ?? '']);
      assert.deepEqual(
        replies.map((reply) => reply.status),
        [status],
      );
      const [reply] = replies;
      assert.ok(reply);
      for (const [name, value] of Object.entries({ connection: 'close', viaduct: '1', ...fields })) {
        assert.equal(reply.fields[name], value);
      }
      assert.ok(reply.fields['date']);
      assert.equal(node.events.filter(({ type }) => type === 'accepted').length, 1);
      await next.assertNotDialled();
    });
  }
}

for (const [what, first] of [
  ['HTTP/0.9', 'GET P'],
  ['two spaces', 'GET  P HTTP/1.1'],
  ['a tab', 'GET\tP HTTP/1.1'],
  ['a space in the target', 'GET P x HTTP/1.1'],
  ['a lower-case version', 'GET P http/1.1'],
  ['two digits', 'GET P HTTP/1.10'],
  ['a space at its end', 'GET P HTTP/1.1 '],
  ['a NUL', 'GET P\0 HTTP/1.1'],
] as const) {
  test(`9112 §3: a first line with ${what} is not HTTP: reset, nothing dialled`, async (t) => {
    const { node, path, next } = await prepare(t, true);
    const { bytes, how } = await exchange(t, node.hop, `${first.replace('P', path)}\r\n${HOST}\r\n`);
    assert.deepEqual([bytes.length, how], [0, 'reset']);
    await next.assertNotDialled();
  });

  test(`9112 §3: on a kept connection, a first line with ${what} is a 400`, async (t) => {
    const { node, path, next } = await prepare(t, true);
    const requests = `GET /file HTTP/1.1\r\n${HOST}\r\n${first.replace('P', path)}\r\n${HOST}\r\n${get('/file')}`;
    const { bytes, how } = await exchange(t, node.hop, requests);
    assert.equal(how, 'end');
    assert.deepEqual(
      repliesIn(bytes).map(({ status }) => status),
      [200, 400],
    );
    await next.assertNotDialled();
  });
}
