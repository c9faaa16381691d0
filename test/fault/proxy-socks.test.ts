import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ErrorCode, type HostHop, type ProxyConfig, formatHop } from 'viaduct';
import { connectTo } from '#src/client/first-hop.js';
import { outcomeOf } from '#src/cli/exit-codes.js';
import { failureOf } from '../support/failures.js';
import { watchDescriptors } from '../support/leaks.js';
import { proxyAt, scriptedProxy } from '../support/proxies.js';

const HOP: HostHop = { host: 'h1.example', port: 12_000 };
const LABEL = 'hop 1 (h1.example:12000)';
const SHORT_MS = 300;
const LOGIN: Partial<ProxyConfig> = { login: { user: 'anna', password: 'sesame' } };
const BOUND = '\x00\x01\0\0\0\0\0\0';
const LATE = 'accepted the connection, but did not connect to the hop within 0.3 s';

interface Fault {
  readonly what: string;
  readonly replies: readonly string[];
  readonly end?: 'ends' | 'cut';
  readonly more?: Partial<ProxyConfig>;
  readonly says: string;
  readonly code?: ErrorCode;
  readonly hint?: RegExp;
}

const FAULTS: readonly Fault[] = [
  { what: 'closes', replies: [''], end: 'ends', says: 'closed the connection before it replied' },
  { what: 'resets', replies: [''], end: 'cut', says: 'reset the connection before it replied' },
  {
    what: 'closes after its method',
    replies: ['\x05\x00', '\x05'],
    end: 'ends',
    says: 'closed the connection before its reply was whole',
  },
  {
    what: 'speaks HTTP',
    replies: ['HTTP/1.1 400 x\r\n'],
    says: 'does not speak SOCKS 5',
    hint: /HTTP: http:/,
  },
  { what: 'speaks SOCKS 4', replies: ['\0Z'], says: 'does not speak SOCKS 5' },
  { what: 'chooses GSSAPI', replies: ['\x05\x01'], says: 'chose a login that was not offered (method 1)' },
  { what: 'wants a login', replies: ['\x05\xff'], says: 'wants a login', hint: /USER:PASSWORD@/ },
  { what: 'chooses a login unasked', replies: ['\x05\x02'], says: 'chose a login that was not offered' },
  {
    what: 'accepts no method',
    replies: ['\x05\xff'],
    more: LOGIN,
    says: 'accepts neither user and password nor a client without them',
  },
  {
    what: 'does not accept the password',
    replies: ['\x05\x02', '\x01\x01'],
    more: LOGIN,
    says: 'does not accept this user and password',
    hint: /percent-encoding/,
  },
  {
    what: 'closes at the password',
    replies: ['\x05\x02', ''],
    end: 'ends',
    more: LOGIN,
    says: 'closed the connection before it replied',
    hint: /check user and password/,
  },
  { what: 'answers twice', replies: ['\x05\x00\x05\x00'], says: 'sent 2 bytes that belong to no reply' },
  {
    what: 'sends bytes of no hop',
    replies: ['\x05\x00', `\x05\x00${BOUND}220 hi`],
    says: 'sent 6 bytes that belong to no reply',
  },
  {
    what: 'has another address',
    replies: ['\x05\x00', '\x05\0\0\x02'],
    says: 'sent an unknown kind of address (2)',
  },
  { what: 'fails: 1', replies: ['\x05\x00', '\x05\x01'], says: 'reports a general failure', hint: /log/ },
  {
    what: 'fails: 2',
    replies: ['\x05\x00', '\x05\x02'],
    says: 'does not allow this connection',
    hint: /operator/,
  },
  { what: 'fails: 7', replies: ['\x05\x00', '\x05\x07'], says: 'does not know CONNECT' },
  {
    what: 'fails: 8',
    replies: ['\x05\x00', '\x05\x08'],
    says: 'does not know this kind of address',
    hint: /socks5:/,
  },
  { what: 'fails: 9', replies: ['\x05\x00', '\x05\x09'], says: 'reports a failure without a name (code 9)' },
  // Last: the first connection of a process takes long, since it loads koffi.
  { what: 'is silent', replies: [], code: 'CONNECT_TIMEOUT', says: LATE },
  { what: 'is silent after its method', replies: ['\x05\x00'], code: 'CONNECT_TIMEOUT', says: LATE },
];

describe('a SOCKS proxy that', () => {
  for (const { what, replies, end, more, code = 'PROXY_ERROR', says, hint } of FAULTS)
    test(`${what}: one line that names it, without a password, and nothing stays open`, async (t) => {
      const { hop } = await scriptedProxy(t, replies, end);
      const nothingOpen = watchDescriptors();
      const connectTimeoutMs = code === 'CONNECT_TIMEOUT' ? SHORT_MS : 20_000;
      const proxy = proxyAt(hop, 'socks5h', more);
      const error = await failureOf(connectTo(HOP, { proxy, connectTimeoutMs }));
      assert.equal(error.message, `${LABEL}: the proxy socks5h://${formatHop(hop)} ${says}`);
      assert.deepEqual([error.code, error.hopAddress, error.hopNumber], [code, formatHop(HOP), 1]);
      if (hint !== undefined) assert.match(error.hint ?? '', hint);
      assert.doesNotMatch(`${error.message} ${error.hint}`, /anna|sesame/);
      await nothingOpen();
    });

  for (const [reply, code, exit, says] of [
    [3, 'UNREACHABLE', 7, 'cannot be reached: network unreachable'],
    [4, 'UNREACHABLE', 7, 'cannot be reached: host unreachable'],
    [5, 'REFUSED', 7, 'refused the connection'],
    [6, 'CONNECT_TIMEOUT', 28, 'did not answer: TTL expired'],
  ] as const)
    test(`reports ${reply} about the hop: ${code}, as without a proxy`, async (t) => {
      const { hop } = await scriptedProxy(t, ['\x05\x00', `\x05${String.fromCharCode(reply)}${BOUND}`]);
      const error = await failureOf(connectTo(HOP, { proxy: proxyAt(hop, 'socks5h') }));
      assert.equal(error.message, `${LABEL} ${says} (over the proxy socks5h://${formatHop(hop)})`);
      assert.deepEqual([error.code, outcomeOf(error).exit], [code, exit]);
    });
});
