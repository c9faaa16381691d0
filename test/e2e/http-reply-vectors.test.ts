import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, describe, test } from 'node:test';
import { formatHop } from 'viaduct';
import { relayTo } from '../support/relayed.js';
import { type StrictReply, ask, get, headOf } from '../support/wire-replies.js';

const OK = 'HTTP/1.1 200 OK\r\nViaduct: 1\r\n';

/** The one reply of a relay whose next hop sends a text and then, unless told otherwise, FIN. */
async function passed(t: TestContext, text: string, method = 'GET', allowed = false): Promise<StrictReply> {
  const { relay, path } = await relayTo(t, (socket) => socket.end(Buffer.from(text, 'latin1')), allowed);
  return ask(t, relay.hop, headOf(`${method} ${path} HTTP/1.1`));
}

describe('a malformed reply is a 502 that names the hop', () => {
  for (const [what, text, type] of [
    ['bare LF (RFC 9112 §2.2)', 'HTTP/1.1 200 OK\nViaduct: 1\n\nbody', 'http_protocol_error'],
    ['bare LF in one line', `${OK}A: b\nContent-Length: 4\r\n\r\nbody`, 'http_protocol_error'],
    ['a bare CR', `${OK}A: b\rc\r\n\r\n`, 'http_protocol_error'],
    ['folding (§5.2)', `${OK}A: b\r\n c\r\n\r\n`, 'http_protocol_error'],
    ['white space before a colon (§5.1)', `${OK}A : b\r\n\r\n`, 'http_protocol_error'],
    ['a NUL', `${OK}A: \0\r\n\r\n`, 'http_protocol_error'],
    [
      'two Content-Lengths (§6.3)',
      `${OK}Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody`,
      'http_protocol_error',
    ],
    ['a Content-Length that is none', `${OK}Content-Length: 4x\r\n\r\nbody`, 'http_protocol_error'],
    ['a Content-Length that is a list', `${OK}Content-Length: 4, 5\r\n\r\nbody`, 'http_protocol_error'],
    [
      'chunks and a length',
      `${OK}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'http_protocol_error',
    ],
    [
      'chunks in HTTP/1.0 (§6.1)',
      'HTTP/1.0 200 OK\r\nViaduct: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'http_protocol_error',
    ],
    [
      '101, which was not asked for',
      'HTTP/1.1 101 Switching Protocols\r\nViaduct: 1\r\nUpgrade: x\r\n\r\n',
      'http_protocol_error',
    ],
    ['an impossible status', 'HTTP/1.1 099 x\r\nViaduct: 1\r\n\r\n', 'http_protocol_error'],
    ['no status', 'HTTP/1.1 OK\r\nViaduct: 1\r\n\r\n', 'http_protocol_error'],
    ['a head without end', `${OK}${'A: b\r\n'.repeat(3000)}`, 'http_protocol_error'],
    ['a line without end', `HTTP/1.1 200 ${'x'.repeat(20_000)}`, 'http_protocol_error'],
    ['an SSH banner', 'SSH-2.0-OpenSSH_9.9\r\n', 'http_request_denied'],
    ['a banner that begins like HTTP', 'HTTPS is spoken here\r\n', 'http_request_denied'],
    ['HTTP/2.0', 'HTTP/2.0 200 OK\r\nViaduct: 1\r\n\r\n', 'http_request_denied'],
    ['HTTP/0.9', 'the file itself', 'http_request_denied'],
    ['no Viaduct field', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody', 'http_request_denied'],
    ['a part of a head', `${OK}A: b\r\n`, 'connection_terminated'],
    ['nothing', '', 'connection_terminated'],
    ['an interim reply alone', 'HTTP/1.1 100 Continue\r\n\r\n', 'connection_terminated'],
    ['HTTP/1.', 'HTTP/1.', 'connection_terminated'],
  ] as const) {
    test(what, async (t) => {
      const reply = await passed(t, text);
      assert.equal(reply.status, 502);
      assert.equal(reply.fields['connection'], 'close');
      assert.match(reply.fields['proxy-status'] ?? '', new RegExp(`error=${type};`));
      const problem = JSON.parse(reply.body.toString()) as { hop: number; detail: string };
      assert.equal(problem.hop, 2);
      assert.match(problem.detail, /^hop 2 \(127\.0\.0\.1:\d+\) /);
      assert.equal((await passed(t, text, 'HEAD')).body.length, 0);
    });
  }

  test('a hop that is silent and keeps the connection is a 504', async (t) => {
    const { relay, path } = await relayTo(t, () => {}, false, { headPerHopMs: 100 });
    const reply = await ask(t, relay.hop, get(path));
    assert.equal(reply.status, 504);
    assert.match(reply.body.toString(), /sent no reply within 1\.1 s/);
    assert.match(reply.fields['proxy-status'] ?? '', /error=connection_read_timeout;/);
  });

  test('a greeting is noticed at its first byte, not at a deadline, and the hop is left', async (t) => {
    let left: Promise<unknown> = Promise.reject(new Error('not dialled'));
    left.catch(() => {});
    const { relay, path } = await relayTo(t, (socket) => {
      left = new Promise((resolve) => socket.once('close', resolve));
      socket.write('S');
    });
    assert.equal((await ask(t, relay.hop, get(path))).status, 502);
    await left;
  });
});

describe('a good reply', () => {
  test('is passed on, however its head is cut', async (t) => {
    const text = `${OK}Content-Length: 4\r\nETag: "1"\r\n\r\nbody`;
    const { relay, path } = await relayTo(t, (socket) => void dribble(socket, text));
    const reply = await ask(t, relay.hop, get(path));
    assert.deepEqual([reply.status, reply.body.toString(), reply.fields['etag']], [200, 'body', '"1"']);
  });

  test('its length, chunks or end reach the client as they came', async (t) => {
    for (const [framing, body] of [
      ['Content-Length: 4\r\n', 'body'],
      ['Transfer-Encoding: chunked\r\n', '2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n'],
      ['', 'body'],
    ] as const) {
      assert.equal((await passed(t, `${OK}${framing}\r\n${body}`)).body.toString(), 'body');
    }
  });

  test('loses what concerns one connection, and secrets', async (t) => {
    const fields = [
      'Connection: keep-alive, X-Hop',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: x',
      'X-Hop: 1',
      'Upgrade: h2c',
      'Set-Cookie: a=b',
      'Service-Worker-Allowed: /',
      'Content-Security-Policy: none',
      'Content-Length: 0',
    ];
    const reply = await passed(t, `${OK}${fields.join('\r\n')}\r\n\r\n`);
    const own = ['date', 'connection', 'content-length', 'via', 'viaduct', 'content-security-policy'];
    assert.deepEqual(
      Object.keys(reply.fields).toSorted(),
      [...own, 'x-content-type-options', 'referrer-policy'].toSorted(),
    );
    assert.deepEqual(
      [reply.fields['connection'], reply.fields['via'], reply.fields['content-security-policy']],
      ['close', '1.1 viaduct', "sandbox allow-downloads; connect-src 'none'"],
    );
  });

  test('of a host that was allowed by name needs no Viaduct field', async (t) => {
    const reply = await passed(t, 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody', 'GET', true);
    assert.deepEqual([reply.body.toString(), reply.fields['via']], ['body', '1.0 viaduct']);
    assert.ok(reply.fields['date'], 'RFC 9110 §6.6.1');
  });

  test('of such a host in chunks is a 502 for an HTTP/1.0 client (RFC 9112 §6.1)', async (t) => {
    const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    const { relay, path } = await relayTo(t, (socket) => socket.end(text), true);
    assert.equal((await ask(t, relay.hop, headOf(`GET ${path} HTTP/1.0`))).status, 502);
  });
});

test('a request goes on with one Host, Via and class, and without secrets', async (t) => {
  const { relay, path, hop, requests } = await relayTo(t, (socket) =>
    socket.end(`${OK}Content-Length: 0\r\n\r\n`),
  );
  const fields = [
    'Cookie: a',
    'Authorization: b',
    'Connection: close, X-Hop',
    'X-Hop: 1',
    'Range: bytes=0-',
    'TE: x',
  ];
  await ask(
    t,
    relay.hop,
    `${headOf(`GET http://localhost${path}?q HTTP/1.0`, ['Host: localhost', ...fields])}and more`,
  );
  const [traceparent] = /^traceparent: .*$/m.exec(requests.join()) ?? [];
  assert.match(traceparent ?? '', /^traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  assert.deepEqual(requests, [
    headOf('GET /file?q HTTP/1.1', [
      `Host: ${formatHop(hop)}`,
      'Range: bytes=0-',
      'Via: 1.0 viaduct',
      'Viaduct-Client: loopback',
      traceparent ?? '',
      'Connection: close',
    ]),
  ]);
});

/** Byte by byte, each in a segment of its own as far as loopback has it, then FIN. */
async function dribble(socket: Socket, text: string): Promise<void> {
  for (const byte of Buffer.from(text)) {
    socket.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  socket.end();
}
