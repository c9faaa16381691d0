import { STATUS_CODES } from 'node:http';
import type { StreamWriter } from '../../tcp/writer.js';
import { type Field, formatHead } from '../../wire/http/head.js';
import type { Connection } from '../connection.js';
import { sendFileBytes } from '../origin/file-sender.js';
import type { Reply } from '../origin/reply.js';
import type { Request } from './request.js';

/**
 * Fields of every reply. Pages of all hops share one browser origin, so no page may run scripts or be taken for
 * another type than it declares; `Viaduct` shows a relay that a node has answered.
 */
export const NODE_FIELDS: readonly Field[] = [
  ['Viaduct', '1'],
  ['Content-Security-Policy', 'sandbox allow-downloads'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
];

/**
 * Sends a reply, without its body for HEAD.
 * @param close whether the connection ends with it; FIN is then queued
 * @throws what the writer throws; it can no longer be reported to the client
 */
export async function sendReply(
  { node, writer, exchange }: Connection,
  request: Request,
  reply: Reply,
  close: boolean,
): Promise<void> {
  const before = writer.sent;
  const { body } = reply;
  const chunked = Symbol.asyncIterator in body && !request.isOld;
  const ends = close || (Symbol.asyncIterator in body && !chunked);
  const fields: Field[] = [...reply.fields, ...NODE_FIELDS, ['Date', new Date().toUTCString()]];
  if (chunked) fields.push(['Transfer-Encoding', 'chunked']);
  else if (!(Symbol.asyncIterator in body) && reply.status !== 304)
    fields.push(['Content-Length', String(body.length)]);
  if (ends) fields.push(['Connection', 'close']);
  else fields.push(['Keep-Alive', `timeout=${Math.floor(node.times.keepAliveMs / 1000)}`]);
  const head = formatHead(`HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ''}`, fields);
  const bodyless = request.isHead || reply.status === 304;
  exchange.replyBegun = true;
  exchange.countBytes(() => writer.sent - before);
  if (bodyless) await writer.write(head);
  else if (Buffer.isBuffer(body)) await writer.write(Buffer.concat([head, body]));
  else {
    await writer.write(head);
    if ('handle' in body) await sendFileBytes(body.handle, body.start, body.length, writer);
    else await sendText(body, chunked, writer);
  }
  if (ends) await writer.finish();
}

async function sendText(text: AsyncIterable<string>, chunked: boolean, writer: StreamWriter): Promise<void> {
  for await (const part of text) {
    if (part === '') continue;
    const size = Buffer.byteLength(part).toString(16);
    await writer.write(Buffer.from(chunked ? `${size}\r\n${part}\r\n` : part));
  }
  if (chunked) await writer.write(Buffer.from('0\r\n\r\n'));
}
