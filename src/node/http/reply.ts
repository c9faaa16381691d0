import type { FileHandle } from 'node:fs/promises';
import { STATUS_CODES } from 'node:http';
import { type Field, type RequestHead, formatHead, listOf } from '../../wire/http/head.js';
import type { Connection } from '../connection.js';
import { sendFileBytes } from '../origin/file-sender.js';

/** What a node answers by itself. */
export interface Reply {
  readonly status: number;
  readonly fields: readonly Field[];
  /** Whole, a part of an open file, or text that is made while it is sent. */
  readonly body: Buffer | FilePart | AsyncIterable<string>;
}

/** Closed by whoever opened it. */
interface FilePart {
  readonly handle: FileHandle;
  readonly start: number;
  readonly length: number;
}

/**
 * Fields of every reply. Pages of all hops share one browser origin, so no page may run scripts or be
 * taken for another type than it says; `Viaduct` tells a relay that a node has answered.
 */
export const NODE_FIELDS: readonly Field[] = [
  ['Viaduct', '1'],
  ['Content-Security-Policy', 'sandbox allow-downloads'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
];

/**
 * Sends a reply, without its body for HEAD.
 * @param close whether the connection ends with it; FIN is queued then
 * @throws what the outlet throws; nothing of it can be told to the client any more
 */
export async function sendReply(
  { outlet, transfer }: Connection,
  request: RequestHead,
  reply: Reply,
  close: boolean,
): Promise<void> {
  const before = outlet.sent;
  const { body } = reply;
  const chunked = Symbol.asyncIterator in body && !isOldClient(request);
  const ends = close || (Symbol.asyncIterator in body && !chunked);
  const fields: Field[] = [...reply.fields, ...NODE_FIELDS, ['Date', new Date().toUTCString()]];
  if (chunked) fields.push(['Transfer-Encoding', 'chunked']);
  else if (!(Symbol.asyncIterator in body) && reply.status !== 304)
    fields.push(['Content-Length', String(body.length)]);
  if (ends) fields.push(['Connection', 'close']);
  const head = formatHead(`HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ''}`, fields);
  const bodyless = request.method === 'HEAD' || reply.status === 304;
  try {
    if (bodyless) await outlet.write(head);
    else if (Buffer.isBuffer(body)) await outlet.write(Buffer.concat([head, body]));
    else {
      await outlet.write(head);
      if ('handle' in body) await sendFileBytes(body.handle, body.start, body.length, outlet);
      else await sendText(body, chunked, outlet);
    }
  } finally {
    transfer.bytes = outlet.sent - before;
  }
  if (ends) await outlet.finish();
}

async function sendText(
  text: AsyncIterable<string>,
  chunked: boolean,
  outlet: Connection['outlet'],
): Promise<void> {
  for await (const part of text) {
    if (part === '') continue;
    const size = Buffer.byteLength(part).toString(16);
    await outlet.write(Buffer.from(chunked ? `${size}\r\n${part}\r\n` : part));
  }
  if (chunked) await outlet.write(Buffer.from('0\r\n\r\n'));
}

/**
 * True if the client, or a client behind relays, speaks HTTP/1.0, which has no chunks: relays speak 1.1
 * and say in Via what they were spoken to (RFC 9110 §7.6.3).
 */
function isOldClient(request: RequestHead): boolean {
  return request.minor === 0 || listOf(request.fields, 'via').some((via) => /^(?:HTTP\/)?1\.0 /i.test(via));
}
