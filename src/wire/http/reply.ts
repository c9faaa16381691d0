import { ViaductError, asViaductError } from '../../errors.js';
import { type ReplyHead, type Split, parseReplyHead, splitHead, valuesOf } from './head.js';

/*
 * What whoever sent a request makes of the bytes that come back. The errors' messages follow the name of
 * the hop that sent them: `hop 2 (h2:11000) is not a node: …`.
 */

/**
 * Cuts off the whole head of a reply; undefined while it is not whole. A greeting of another protocol is
 * noticed with its first byte, not at a deadline.
 * @throws ViaductError NOT_A_NODE or BAD_REPLY
 */
export function splitReply(bytes: Buffer): Split | undefined {
  const start = bytes.subarray(0, 'HTTP/1.'.length).toString('latin1');
  if (!'HTTP/1.'.startsWith(start))
    throw new ViaductError('NOT_A_NODE', 'is not a node: it does not speak HTTP');
  try {
    return splitHead(bytes);
  } catch (cause) {
    throw new ViaductError('BAD_REPLY', 'sent too large a reply head', { cause });
  }
}

/**
 * The head of a reply, other than one that switches protocols.
 * @throws ViaductError BAD_REPLY
 */
export function parseReply(head: Buffer): ReplyHead {
  let reply: ReplyHead;
  try {
    reply = parseReplyHead(head);
  } catch (cause) {
    const why = asViaductError(cause).message;
    throw new ViaductError('BAD_REPLY', `sent a malformed reply: ${why}`, { cause });
  }
  if (reply.status === 101) throw new ViaductError('BAD_REPLY', 'switched to another protocol');
  return reply;
}

/** How the end of a body is told (RFC 9112 §6.3): by its number of bytes, by its last chunk, or by FIN alone. */
export type Framing = number | 'chunks' | 'end';

/** @param headOnly the request was HEAD */
export function framingOf({ status, fields }: ReplyHead, headOnly: boolean): Framing {
  if (headOnly || status === 204 || status === 304) return 0;
  if (valuesOf(fields, 'transfer-encoding').length > 0) return 'chunks';
  const [length] = valuesOf(fields, 'content-length');
  return length === undefined ? 'end' : Number(length);
}
