import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { type ErrorCode, type HostHop, type ProxyConfig, formatHop } from 'viaduct';
import { refusingHop } from '../support/black-hole.js';
import { failureOf } from '../support/failures.js';
import { watchDescriptors } from '../support/leaks.js';
import { proxyAt, scriptedProxy } from '../support/proxies.js';
import { connectTo } from '#src/client/first-hop.js';
import { rawServer } from '../support/raw.js';
import { until } from '../support/streams.js';

const HOP: HostHop = { host: 'h1.example', port: 12_000 };
const SHORT_MS = 300;
const LOGIN = { user: 'anna', password: 'sesame' };

interface Fault {
  readonly what: string;
  readonly replies: readonly string[];
  readonly end?: 'ends' | 'cut';
  readonly more?: Partial<ProxyConfig>;
  /** @default PROXY_ERROR */
  readonly code?: ErrorCode;
  /** What the error says after the name of the proxy. */
  readonly says: string;
  readonly hint?: RegExp;
  /** @default false */
  readonly transient?: true;
}

const reply = (line: string, fields = ''): string => `HTTP/1.1 ${line}\r\n${fields}Content-Length: 0\r\n\r\n`;
const challenge = (scheme: string): string =>
  reply('407 Proxy Authentication Required', `Proxy-Authenticate: ${scheme}\r\n`);
const OPEN = 'HTTP/1.1 200 Connection established\r\n\r\n';
const SOCKS = /SOCKS 5: socks5h:/;
const LATE = 'accepted the connection, but did not connect to the hop within 0.3 s';

const FAULTS: readonly Fault[] = [
  {
    what: 'endless interim replies',
    replies: ['HTTP/1.1 100 x\r\n\r\n'.repeat(40)],
    says: 'sent too many interim replies',
  },
  {
    what: 'closes',
    replies: [''],
    end: 'ends',
    says: 'closed the connection before it replied',
    transient: true,
  },
  {
    what: 'resets',
    replies: [''],
    end: 'cut',
    says: 'reset the connection before it replied',
    transient: true,
  },
  {
    what: 'closes within its reply',
    replies: ['HTTP/1.1 200 OK\r\n'],
    end: 'ends',
    says: 'closed the connection before its reply was whole',
    transient: true,
  },
  { what: 'garbage', replies: ['\0\x01\x02\x03'], says: 'does not speak HTTP', hint: SOCKS },
  { what: 'SOCKS', replies: ['\x05\xff'], says: 'does not speak HTTP', hint: SOCKS },
  { what: 'ssh', replies: ['SSH-2.0-OpenSSH_9.2\r\n'], says: 'does not speak HTTP', hint: SOCKS },
  {
    what: 'a huge head',
    replies: [`HTTP/1.1 200 ${'x'.repeat(20_000)}`],
    says: 'sent too large a reply head',
  },
  {
    what: 'a bad head',
    replies: ['HTTP/1.1 20\r\n\r\n'],
    says: 'sent a malformed reply: the status line is malformed',
  },
  { what: 'another protocol', replies: ['HTTP/1.1 101 x\r\n\r\n'], says: 'switched to another protocol' },
  { what: 'bytes of no hop', replies: [`${OPEN}220 hi`], says: 'sent 6 bytes that belong to no reply' },
  {
    what: 'refuses',
    replies: [reply('403 Forbidden')],
    says: 'answered 403 (Forbidden)',
    hint: /such as 443/,
  },
  { what: 'no CONNECT', replies: [reply('405 No')], says: 'answered 405 (No)', hint: /without CONNECT/ },
  { what: 'a redirect', replies: [reply('302 Found')], says: 'answered 302 (Found)' },
  { what: '502', replies: [reply('502 Bad Gateway')], says: 'answered 502 (Bad Gateway)', transient: true },
  { what: '503', replies: [reply('503')], says: 'answered 503', transient: true },
  { what: '504', replies: [reply('504 \u009b31m')], says: 'answered 504 (\\x9b31m)', transient: true },
  {
    what: 'a long reason',
    replies: [reply(`500 ${'x'.repeat(1000)}`)],
    says: `answered 500 (${'x'.repeat(100)}…)`,
    transient: true,
  },
  {
    what: 'wants a login',
    replies: [challenge('Basic realm="a, b"')],
    says: 'answered 407 (Proxy Authentication Required)',
    hint: /USER:PASSWORD@HOST/,
  },
  {
    what: 'wants another login',
    replies: [challenge('Basic realm="x"')],
    more: { login: LOGIN },
    says: 'answered 407 (Proxy Authentication Required): it does not accept this user and password',
    hint: /percent-encoding/,
  },
  {
    what: 'wants Digest or NTLM',
    replies: [challenge('Digest realm="x", nonce="y", NTLM')],
    more: { login: LOGIN },
    says: 'answered 407 (Proxy Authentication Required): it wants Digest, NTLM',
    hint: /only Basic/,
  },
  // Last: the first connection of a process takes long, since it loads koffi.
  { what: 'silent', replies: [], code: 'CONNECT_TIMEOUT', says: LATE, transient: true },
  { what: 'half a head', replies: ['HTTP/1.1 20'], code: 'CONNECT_TIMEOUT', says: LATE, transient: true },
];

describe('an HTTP proxy that', () => {
  for (const { what, replies, end, more, code = 'PROXY_ERROR', says, hint, transient = false } of FAULTS)
    test(`${what}: one line that names it, without a password, and nothing stays open`, async (t) => {
      const { hop } = await scriptedProxy(t, replies, end);
      const nothingOpen = watchDescriptors();
      const timeoutMs = code === 'CONNECT_TIMEOUT' ? SHORT_MS : 20_000;
      const options = { proxy: proxyAt(hop, 'http', more), connectTimeoutMs: timeoutMs };
      const error = await failureOf(connectTo(HOP, options));
      assert.equal(error.message, `hop 1 (h1.example:12000): the proxy http://${formatHop(hop)} ${says}`);
      assert.deepEqual(
        [error.code, error.hopAddress, error.hopNumber, error.transient],
        [code, formatHop(HOP), 1, transient],
      );
      if (hint !== undefined) assert.match(error.hint ?? '', hint);
      assert.doesNotMatch(`${error.message} ${error.hint}`, /anna|sesame/);
      await nothingOpen();
    });

  test('is down', async (t) => {
    const hop = await refusingHop(t);
    const error = await failureOf(connectTo(HOP, { proxy: proxyAt(hop) }));
    assert.equal(error.code, 'PROXY_ERROR');
    assert.equal(
      error.message,
      `hop 1 (h1.example:12000): the proxy http://${formatHop(hop)} refused the connection`,
    );
    assert.match(error.hint ?? '', /--proxy none/);
  });

  test('has a name that does not exist', async () => {
    const proxy = proxyAt({ host: 'proxy.invalid', port: 1 });
    const error = await failureOf(connectTo(HOP, { proxy }));
    assert.equal(error.code, 'PROXY_ERROR');
    assert.match(error.message, /: the proxy http:\/\/proxy\.invalid:1 (?:does not|cannot be) resolve/);
  });

  test('is silent, and the caller leaves: its reason is thrown', async (t) => {
    const end = new AbortController();
    const reason = new Error('enough');
    const { hop } = await rawServer(t, (socket) => socket.once('data', () => end.abort(reason)));
    const nothingOpen = watchDescriptors();
    await assert.rejects(connectTo(HOP, { proxy: proxyAt(hop), signal: end.signal }), reason);
    await nothingOpen();
  });

  test('answers byte by byte', async (t) => {
    const { hop } = await rawServer(t, (socket) =>
      socket.once('data', () => {
        sendBytes(socket, OPEN, () => socket.once('data', () => socket.end('whole')));
      }),
    );
    const stream = await connectTo(HOP, { proxy: proxyAt(hop) });
    let got = '';
    stream
      .attach({
        take: (chunk) => {
          got += chunk.toString();
          return true;
        },
        end: () => {},
      })
      .resume();
    stream.write(Buffer.from('x'));
    await until(() => stream.ended);
    assert.equal(got, 'whole');
    stream.reset();
  });
});

function sendBytes(socket: Socket, text: string, done: () => void): void {
  if (text === '') return done();
  socket.write(text.slice(0, 1), () => setImmediate(sendBytes, socket, text.slice(1), done));
}
