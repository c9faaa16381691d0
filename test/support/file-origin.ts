import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Location } from 'viaduct';
import { rawServer } from './raw.js';
import { PLAIN, type Wire } from './wires.js';

/** A request as an origin sees it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  /** Of `Range: bytes=N-`; 0 without. */
  readonly start: number;
  readonly ifRange: string | undefined;
}

export interface FileOrigin {
  readonly location: Location;
  readonly asked: readonly Asked[];
}

/** A node of the test's own with one file, on a wire: `answer` writes what it likes to each request. */
export async function fileOrigin(
  t: TestContext,
  answer: (socket: Socket, asked: Asked, index: number) => void,
  wire: Wire = PLAIN,
): Promise<FileOrigin> {
  const asked: Asked[] = [];
  const { hop } = await rawServer(t, (socket) => {
    let head = '';
    socket.on('data', (bytes: Buffer) => {
      if (socket.writableEnded) return; // As a node, which closes.
      head += bytes.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      const [, start = '0'] = /\r\nRange: bytes=(\d+)-\r\n/i.exec(head) ?? [];
      const [, ifRange] = /\r\nIf-Range: (\S+)\r\n/i.exec(head) ?? [];
      const [method = '', path = ''] = head.split(' ');
      head = '';
      const request = { method, path, start: Number(start), ifRange };
      asked.push(request);
      answer(socket, request, asked.length - 1);
    });
  });
  return { location: { route: [await wire.front(t, hop)], path: '/file' }, asked };
}

/** A whole reply of a node: its head and, but for HEAD, its body. It promises a digest, unless it has one or is told not to. */
export function replyOf(
  status: number,
  fields: Readonly<Record<string, string | number | undefined>>,
  body: Buffer | string = '',
  method = 'GET',
): Buffer {
  const promise =
    status < 300 && method === 'GET' && !('Repr-Digest' in fields) ? { 'Retry-After': '1' } : {};
  const lines = Object.entries({
    Viaduct: '1',
    'Content-Length': Buffer.byteLength(body),
    ...promise,
    ...fields,
  })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} Reason\r\n${lines.join('')}\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(method === 'HEAD' ? '' : body)]);
}

/** `Repr-Digest` of bytes. */
export function digestField(bytes: Buffer): string {
  return `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;
}

/** What a node answers: the file, or the rest of it if the ETag is still the same, and its digest. */
export function honestReply(
  bytes: Buffer,
  { method, start, ifRange }: Omit<Asked, 'path'>,
  etag = '"v1"',
): Buffer {
  const known = { ETag: etag, 'Repr-Digest': digestField(bytes) };
  const partial = start > 0 && ifRange === etag;
  if (!partial) return replyOf(200, known, bytes, method);
  const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  return replyOf(206, { ...known, 'Content-Range': range }, bytes.subarray(start), method);
}
