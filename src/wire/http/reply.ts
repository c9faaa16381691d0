import { ViaductError, asViaductError } from '../../errors.js';
import { HEAD_BYTES, type ReplyHead, parseReplyHead, splitHead, valuesOf } from './head.js';

/*
 * Reading the reply to a request. The messages of errors follow the name of the hop that sent the bytes:
 * `hop 2 (h2:11000) is not a node: …`.
 */

/** Interim replies before the final one: more, or larger ones, only keep a client busy. */
export const INTERIM_REPLIES = 32;
const INTERIM_BYTES = 4 * HEAD_BYTES;

export interface FinalReply {
  readonly head: ReplyHead;
  /** What followed the head. */
  readonly rest: Buffer;
}

/**
 * Reads the heads that answer one request: interim ones (1xx), then the final one. No byte is looked at twice for
 * another head, and interim replies are limited in number and size.
 */
export class ReplyHeadReader {
  readonly #onInterim: (head: ReplyHead) => void;
  readonly #maySwitch: boolean;
  /** Where the first incomplete head begins. */
  #start = 0;
  #interims = 0;

  /** @param maySwitch the request asks for another protocol: 101 is final */
  constructor(onInterim: (head: ReplyHead) => void = () => {}, maySwitch = false) {
    this.#onInterim = onInterim;
    this.#maySwitch = maySwitch;
  }

  /**
   * @param bytes all bytes since the request, those of earlier calls included
   * @returns undefined while the final head is incomplete
   * @throws ViaductError NOT_A_NODE or BAD_REPLY
   */
  read(bytes: Buffer): FinalReply | undefined {
    for (;;) {
      const split = splitReply(bytes.subarray(this.#start));
      if (split === undefined) return undefined;
      const head = parseReply(split.head);
      if (head.status === 101 && !this.#maySwitch)
        throw new ViaductError('BAD_REPLY', 'switched to another protocol');
      if (head.status >= 200 || head.status === 101) return { head, rest: split.rest };
      this.#start += split.head.length;
      this.#interims += 1;
      if (this.#interims > INTERIM_REPLIES || this.#start > INTERIM_BYTES)
        throw new ViaductError('BAD_REPLY', 'sent too many interim replies');
      this.#onInterim(head);
    }
  }
}

/** A greeting of another protocol is noticed with its first byte, not after a timeout. */
function splitReply(bytes: Buffer): ReturnType<typeof splitHead> {
  const start = bytes.subarray(0, 'HTTP/1.'.length).toString('latin1');
  if (!'HTTP/1.'.startsWith(start))
    throw new ViaductError('NOT_A_NODE', 'is not a node: it does not speak HTTP');
  try {
    return splitHead(bytes);
  } catch (cause) {
    throw new ViaductError('BAD_REPLY', 'sent too large a reply head', { cause });
  }
}

function parseReply(head: Buffer): ReplyHead {
  let reply: ReplyHead;
  try {
    reply = parseReplyHead(head);
  } catch (cause) {
    const why = asViaductError(cause).message;
    throw new ViaductError('BAD_REPLY', `sent a malformed reply: ${why}`, { cause });
  }
  return reply;
}

/** How the end of a body is marked (RFC 9112 §6.3): by its number of bytes, by its last chunk, or by FIN alone. */
export type Framing = number | 'chunks' | 'end';

/** @param headOnly the request was HEAD */
export function framingOf({ status, fields }: ReplyHead, headOnly: boolean): Framing {
  if (headOnly || status === 204 || status === 304) return 0;
  if (valuesOf(fields, 'transfer-encoding').length > 0) return 'chunks';
  const [length] = valuesOf(fields, 'content-length');
  return length === undefined ? 'end' : Number(length);
}
