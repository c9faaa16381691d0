import { type Socket, connect } from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';
import type { ErrorCode, HostHop } from 'viaduct';

/** What an impostor may do once it was asked for a tunnel. */
interface Act {
  readonly socket: Socket;
  /** Of a file or folder that the client would take for the origin's. */
  readonly origin: HostHop;
  /** Goes on in TLS on the connection. */
  readonly speakTls: (options: TlsOptions) => TLSSocket;
}

export interface Cheat {
  readonly what: string;
  readonly act: (act: Act) => void;
  /** With the pin of the real origin. */
  readonly code: ErrorCode;
  /** What follows the name of the hop in the message. */
  readonly reason: RegExp;
  /** It says that the tunnel is built, and what follows is between the client and the last hop. */
  readonly switches?: true;
}

const NODE = 'Viaduct: 1\r\n';
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: viaduct\r\n';
export const SWITCHING = `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}${NODE}\r\n`;
const FILE =
  'Content-Type: text/plain\r\nETag: "v"\r\nLast-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 6\r\n\r\nforged';
const PLAIN_REPLY = `HTTP/1.1 200 OK\r\n${NODE}${FILE}`;

const writes =
  (text: string): Cheat['act'] =>
  ({ socket }) =>
    void socket.write(text);

/** Says that the tunnel is built, and then does something else. */
const switchesAnd =
  (act: (socket: Socket) => void): Cheat['act'] =>
  ({ socket }) =>
    void socket.write(SWITCHING, () => act(socket));

/** Is the end of the tunnel itself, with a key of its own. */
const tls =
  (options: TlsOptions, act: (secure: TLSSocket) => void = () => {}): Cheat['act'] =>
  ({ socket, speakTls }) => {
    socket.write(SWITCHING);
    const secure = speakTls(options);
    secure.once('secure', () => act(secure));
  };

/** As a relay of version 0.2 does: it forwards neither Upgrade nor its Connection. */
const relaysPlainly: Cheat['act'] = ({ socket, origin }) => {
  const upstream = connect({ ...origin });
  upstream.on('error', () => {});
  upstream.write(`GET / HTTP/1.1\r\nHost: ${origin.host}:${origin.port}\r\nConnection: close\r\n\r\n`);
  upstream.pipe(socket);
  socket.once('close', () => upstream.destroy());
};

const badReply = {
  code: 'BAD_REPLY',
  reason:
    /^answered \d{3} and builds no tunnel: an older version\? \(nodes before version 0\.2 need --plain, without encryption\)$/,
} as const;
const switched = {
  code: 'TLS_FAILED',
  reason: /^(?:cannot be reached in TLS: \S|does not speak TLS)/,
  switches: true,
} as const;
const broke = {
  code: 'CUT_SHORT',
  reason: /^broke the connection during the TLS handshake: \S/,
  switches: true,
} as const;
const wrongKey = { code: 'WRONG_PIN', reason: /^presented a key with the pin /, switches: true } as const;
/** What only an origin may decide. */
const forged = (status: string, code: string): Cheat => ({
  what: `${status} in the name of the origin`,
  act: writes(
    `HTTP/1.1 ${status}\r\n${NODE}Viaduct-Error: ${code};hop=3;detail="hop 3: no such file"\r\nContent-Length: 0\r\n\r\n`,
  ),
  code: 'HTTP_ERROR',
  reason: /^: no such file/,
});

export const CHEATS: readonly Cheat[] = [
  { what: 'strips the upgrade and sends a file', act: writes(PLAIN_REPLY), ...badReply },
  { what: 'is of an older version', act: relaysPlainly, ...badReply },
  {
    what: 'redirects',
    act: writes(`HTTP/1.1 301 x\r\n${NODE}Location: /\r\nContent-Length: 0\r\n\r\n`),
    ...badReply,
  },
  {
    what: 'switches to websocket',
    act: writes(`HTTP/1.1 101 x\r\n${NODE}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`),
    ...badReply,
  },
  {
    what: '101 without Connection',
    act: writes(`HTTP/1.1 101 x\r\n${NODE}Upgrade: viaduct\r\n\r\n`),
    ...badReply,
  },
  {
    what: '101 without Upgrade',
    act: writes(`HTTP/1.1 101 x\r\n${NODE}Connection: Upgrade\r\n\r\n`),
    ...badReply,
  },
  {
    what: '101 of a server that is no node',
    act: writes(`HTTP/1.1 101 x\r\n${UPGRADE}\r\n`),
    code: 'NOT_A_NODE',
    reason: /^is not a node/,
  },
  forged('404 Not Found', 'NOT_FOUND'),
  forged('403 Forbidden', 'FORBIDDEN'),
  forged('412 Precondition Failed', 'PRECONDITION_FAILED'),
  forged('416 Range Not Satisfiable', 'RANGE_NOT_SATISFIABLE'),
  { what: '101, then a plain reply', act: switchesAnd((socket) => socket.write(PLAIN_REPLY)), ...switched },
  { what: '101 with a plain reply right behind it', act: writes(SWITCHING + PLAIN_REPLY), ...switched },
  { what: '101 twice', act: writes(SWITCHING + SWITCHING), ...switched },
  { what: '101, then silence', act: switchesAnd(() => {}), ...broke },
  { what: '101, then FIN', act: switchesAnd((socket) => socket.end()), ...broke },
  { what: '101, then RST', act: switchesAnd((socket) => socket.resetAndDestroy()), ...broke },
  {
    what: '101, then a TLS alert',
    act: writes(`${SWITCHING}\x15\x03\x03\x00\x02\x02\x28`),
    ...switched,
  },
  { what: 'speaks TLS 1.2 only', act: tls({ maxVersion: 'TLSv1.2' }), ...switched },
  { what: 'speaks h2 only', act: tls({ ALPNProtocols: ['h2'] }), ...switched },
  { what: 'is the end of the tunnel itself', act: tls({}), ...wrongKey },
  { what: 'demands a certificate', act: tls({ requestCert: true, rejectUnauthorized: true }), ...wrongKey },
  { what: 'replies before any request', act: tls({}, (secure) => secure.write(PLAIN_REPLY)), ...wrongKey },
  { what: 'closes after the handshake', act: tls({}, (secure) => secure.end()), ...wrongKey },
];

/** Replies once a request has come, in TLS with the right key. */
const replies =
  (reply: (secure: TLSSocket, socket: Socket) => void): Cheat['act'] =>
  ({ socket, speakTls }) => {
    socket.write(SWITCHING);
    const secure = speakTls({});
    secure.once('data', () => reply(secure, socket));
  };

const HALF = PLAIN_REPLY.slice(0, -3);

/** An origin with the right key that breaks what it begins. */
export const BROKEN_ORIGINS: readonly Cheat[] = [
  {
    what: 'malformed reply',
    act: replies((secure) => secure.write(`HTTP/1.1 200 OK\r\n${NODE}x y\r\n\r\n`)),
    code: 'BAD_REPLY',
    reason: /^sent a malformed reply: /,
  },
  {
    what: 'another 101',
    act: replies((secure) => secure.write(SWITCHING)),
    code: 'BAD_REPLY',
    reason: /^switched to another protocol$/,
  },
  {
    what: 'a web server',
    act: replies((secure) => secure.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
    code: 'NOT_A_NODE',
    reason: /^is not a node$/,
  },
  {
    what: 'close_notify before the reply',
    act: replies((secure) => secure.end()),
    code: 'CUT_SHORT',
    reason: /^closed the connection before it replied/,
  },
  {
    what: 'close_notify in the body',
    act: replies((secure) => secure.end(HALF)),
    code: 'CUT_SHORT',
    // The trace that looks for the hop finds it broken too.
    reason: /^(?:closed|reset) the connection after [03] of 6 bytes: the chain broke there or before it/,
  },
  {
    what: 'FIN in the body',
    act: replies((secure, socket) => secure.write(HALF, () => socket.end())),
    code: 'CUT_SHORT',
    // The trace that looks for the hop finds it broken too.
    reason: /^(?:closed|reset) the connection after [03] of 6 bytes: the chain broke there or before it/,
  },
  {
    what: 'RST in the body',
    act: replies((secure, socket) => secure.write(HALF, () => socket.resetAndDestroy())),
    code: 'CUT_SHORT',
    // The trace that looks for the hop finds it broken too.
    reason: /^(?:closed|reset) the connection after [03] of 6 bytes: the chain broke there or before it/,
  },
  {
    what: 'it demands a certificate',
    act: tls({ requestCert: true, rejectUnauthorized: true }),
    code: 'CUT_SHORT',
    reason: /^(?:closed|reset) the connection before it replied/,
  },
];
