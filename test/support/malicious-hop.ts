import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { HostHop } from 'viaduct';
import { rawServer } from './raw.js';

const HEAD = 'HTTP/1.1 200 OK\r\nViaduct: 1\r\n';
const FILE = `${HEAD}ETag: "v"\r\nLast-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n`;
const LISTING = `${HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
const DRIP_MS = 20;

/** Bytes once, and then the same bytes for ever. */
interface Script {
  readonly once: string;
  readonly again: string;
}

/** What a hop or an origin may send to keep its peers busy, or waiting, for ever. */
export const SCRIPTS: Readonly<Record<string, Script>> = {
  silence: { once: '', again: '' },
  'interim replies': { once: '', again: 'HTTP/1.1 100 \r\n\r\n' },
  'a head': { once: HEAD, again: 'X: x\r\n' },
  'blanks in a field': { once: `${HEAD}X: a`, again: ' ' },
  'a status line': { once: 'HTTP/1.1 200 ', again: 'O' },
  'a body': { once: `${FILE}Content-Length: 1000000000000\r\n\r\n`, again: 'x' },
  'chunks of a byte': { once: `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, again: '1\r\nx\r\n' },
  'a chunk extension': { once: `${HEAD}Transfer-Encoding: chunked\r\n\r\n1;`, again: 'x' },
  trailers: { once: `${HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n`, again: 'X: x\r\n' },
  'a listing': {
    once: `${LISTING}18\r\n{"path":"/","entries":[\n\r\n`,
    again: '4e\r\n{"name":"x","type":"file","size":1,"modified":"2001-02-03T04:05:06.000Z"},\n\n\r\n'.replace(
      '4e',
      '4b',
    ),
  },
  'a line of a listing': {
    once: `${LISTING}18\r\n{"path":"/","entries":[\n\r\n9\r\n{"name":"\r\n`,
    again: '1\r\nx\r\n',
  },
  'a digest that is never ready': {
    once: `${HEAD}ETag: "v"\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n`,
    again: '',
  },
  'an error that never ends': {
    once: 'HTTP/1.1 500 x\r\nViaduct: 1\r\nContent-Type: text/plain\r\n\r\n',
    again: 'x',
  },
  'classic bytes': { once: '', again: 'not HTTP at all ' },
};

/** A hop that plays a script to everybody: as fast as it is read, or a byte at a time. */
export async function maliciousHop(
  t: TestContext,
  { once, again }: Script,
  pace: 'fast' | 'slow',
): Promise<HostHop> {
  const { hop } = await rawServer(t, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(once);
      if (again === '') return;
      if (pace === 'fast') pour(socket, again.repeat(1000));
      else drip(socket, again);
    });
    socket.resume();
  });
  return hop;
}

function pour(socket: Socket, text: string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(text));
  };
  socket.on('drain', more);
  more();
}

function drip(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(text.charAt(at % text.length));
    at += 1;
  }, DRIP_MS);
  socket.once('close', () => clearInterval(timer));
}
