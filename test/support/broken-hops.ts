import type { TestContext } from 'node:test';
import type { ErrorCode, HostHop } from 'viaduct';
import { blackHole, refusingHop } from './black-hole.js';
import { rawServer } from './raw.js';

/** A way for a hop to fail before it replies, and what a client has to be told of it. */
export interface BrokenHop {
  readonly what: string;
  /** A hop that fails so; `place` keeps those without a server apart. */
  readonly at: (t: TestContext, place: number) => Promise<HostHop>;
  readonly status: number;
  readonly code: ErrorCode;
  /** Error type of RFC 9209. */
  readonly type: string;
  /** What follows `hop 3 (host:port) ` in the message. */
  readonly reason: RegExp;
  /** What a client finds instead that begins TLS with it. */
  readonly inTls?: { readonly code: ErrorCode; readonly reason: RegExp };
  /** Exit code of a curl that talks to it without a node between. */
  readonly exit?: number;
}

/** A hop that waits for a request and then does something with the connection. */
const answering =
  (answer: string, asked = true): BrokenHop['at'] =>
  async (t) => {
    const { hop } = await rawServer(t, (socket) => {
      const act = (): void => {
        if (answer === 'RST') socket.resetAndDestroy();
        else socket.end(answer === 'FIN' ? '' : answer);
      };
      if (asked) socket.once('data', act);
      else act();
      socket.resume();
    });
    return hop;
  };

const speaksNoTls = { inTls: { code: 'TLS_FAILED', reason: /^does not speak TLS$/ } } as const;
const notANode = { status: 502, code: 'NOT_A_NODE', type: 'http_request_denied' } as const;
const badReply = { status: 502, code: 'BAD_REPLY', type: 'http_protocol_error' } as const;
const cutShort = { status: 502, code: 'CUT_SHORT', type: 'connection_terminated' } as const;
const prohibited = { status: 403, code: 'PROHIBITED', type: 'destination_ip_prohibited' } as const;

export const BROKEN_HOPS: readonly BrokenHop[] = [
  {
    what: 'a name that nobody knows',
    at: async (_, place) => ({ host: `nowhere-${place}.invalid`, port: 12_000 }),
    status: 502,
    code: 'DNS_ERROR',
    type: 'dns_error',
    reason: /^(does not resolve to an address|cannot be resolved now)$/,
    exit: 6,
  },
  {
    what: 'a port where nobody listens',
    at: refusingHop,
    status: 502,
    code: 'REFUSED',
    type: 'connection_refused',
    reason: /^refused the connection$/,
    exit: 7,
  },
  {
    what: 'a black hole',
    at: blackHole,
    status: 504,
    code: 'CONNECT_TIMEOUT',
    type: 'connection_timeout',
    reason: /^did not answer within 1 s$/,
    exit: 28,
  },
  {
    what: 'a reset before the reply',
    at: answering('RST'),
    inTls: {
      code: 'CUT_SHORT',
      reason: /^broke the connection during the TLS handshake: connection reset by peer$/,
    },
    ...cutShort,
    reason:
      /^(closed the connection before it replied$|reset the connection before it replied: it may have reached its limit)/,
    exit: 56,
  },
  {
    what: 'FIN before the reply',
    at: answering('FIN'),
    inTls: {
      code: 'CUT_SHORT',
      reason: /^broke the connection during the TLS handshake: the peer closed the connection$/,
    },
    ...cutShort,
    reason: /^closed the connection before it replied$/,
    exit: 52,
  },
  {
    what: 'FIN in the head of the reply',
    at: answering('HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Le'),
    ...speaksNoTls,
    ...cutShort,
    reason: /^closed the connection before it replied$/,
  },
  {
    what: 'a web server that is no node',
    at: answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    ...speaksNoTls,
    ...notANode,
    reason: /^is not a node; --allow-hop \S+ would relay it all the same$/,
    exit: 0,
  },
  {
    what: 'a greeting of SSH',
    at: answering('SSH-2.0-OpenSSH_9.2\r\n', false),
    ...speaksNoTls,
    ...notANode,
    reason: /^is not a node: it does not speak HTTP$/,
    exit: 1,
  },
  {
    what: 'an address that is never dialled',
    at: async (_, place) => ({ host: '169.254.169.254', port: 12_000 + place }),
    ...prohibited,
    reason: /^is prohibited: it is an address that a relay never dials$/,
  },
  {
    what: 'a port of other services',
    at: async (_, place) => ({ host: '127.0.0.1', port: 20 + place }),
    ...prohibited,
    reason: /^is prohibited: ports below 1024 are not dialled; --allow-hop 127\.0\.0\.1:2\d would allow it\b/,
  },
  {
    what: 'a reply with two lengths',
    at: answering('HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy'),
    ...speaksNoTls,
    ...badReply,
    reason: /^sent a malformed reply: content-length occurs twice$/i,
  },
  {
    what: 'a reply head without end',
    at: answering(`HTTP/1.1 200 OK\r\nViaduct: 1\r\n${'X: y\r\n'.repeat(5000)}`),
    ...speaksNoTls,
    ...badReply,
    reason: /^sent too large a reply head$/,
  },
];
