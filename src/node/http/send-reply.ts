import { STATUS_CODES } from 'node:http';
import type { StreamWriter } from '../../tcp/writer.js';
import { type Field, formatHead } from '../../wire/http/head.js';
import type { Connection } from '../connection.js';
import { SendBuffers, sendFileBytes } from '../origin/file-sender.js';
import type { FilePart, Reply } from '../origin/reply.js';
import { CLOSE, keepAliveField } from './fields.js';
import { nodeFields } from './node-fields.js';
import type { Request } from './request.js';

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
  const fields: Field[] = [
    ...reply.fields,
    ...nodeFields(reply.status, reply.fields, request.target.path),
    ['Date', new Date().toUTCString()],
  ];
  if (chunked) fields.push(['Transfer-Encoding', 'chunked']);
  else if (!(Symbol.asyncIterator in body) && !isBodyless(reply.status))
    fields.push(['Content-Length', String(body.length)]);
  fields.push(ends ? CLOSE : keepAliveField(node.times.keepAliveMs));
  const head = formatHead(`HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ''}`, fields);
  const bodyless = request.isHead || isBodyless(reply.status);
  exchange.replyBegun = true;
  exchange.countBytes(() => writer.sent - before);
  if (bodyless) await writer.write(head);
  else if (Buffer.isBuffer(body)) await writer.write(Buffer.concat([head, body]));
  else {
    await writer.write(head);
    if ('handle' in body) await sendFileBytes(body, writer);
    else if ('pieces' in body) await sendPieces(body.pieces, writer);
    else if ('repeated' in body) await sendRepeated(body.repeated, body.length, writer);
    else await sendText(body, chunked, writer);
  }
  if (ends) await writer.finish();
}

/** RFC 9110 §6.4.1. */
function isBodyless(status: number): boolean {
  return status === 204 || status === 304;
}

async function sendPieces(pieces: AsyncIterable<Buffer | FilePart>, writer: StreamWriter): Promise<void> {
  const buffers = new SendBuffers();
  for await (const piece of pieces) {
    if (Buffer.isBuffer(piece)) await writer.write(piece);
    else await sendFileBytes(piece, writer, buffers);
  }
}

/** A client that has seen enough leaves, which ends it. */
async function sendRepeated(block: Buffer, length: number, writer: StreamWriter): Promise<void> {
  for (let left = length; left > 0; left -= block.length) await writer.write(block.subarray(0, left));
}

async function sendText(text: AsyncIterable<string>, chunked: boolean, writer: StreamWriter): Promise<void> {
  for await (const part of text) {
    if (part === '') continue;
    const size = Buffer.byteLength(part).toString(16);
    await writer.write(Buffer.from(chunked ? `${size}\r\n${part}\r\n` : part));
  }
  if (chunked) await writer.write(Buffer.from('0\r\n\r\n'));
}
