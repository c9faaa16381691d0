import { type ErrorCode, ViaductError, asViaductError } from '../../errors.js';
import { HTTP_HEAD_PER_HOP_MS } from '../../defaults.js';
import type { Channel } from '../../tcp/stream.js';
import { type Verdict, readHead } from '../../tcp/read-until.js';
import { type Hop, formatHop } from '../../route/hop.js';
import { type ReplyHead, type Split, formatHead, valuesOf } from '../../wire/http/head.js';
import { framingOf, parseReply, splitReply } from '../../wire/http/reply.js';
import type { Connection } from '../connection.js';
import type { OpenedReply } from '../relay.js';
import { interimFields, passedFields } from './forwarded.js';
import { NODE_FIELDS } from './reply.js';

interface ReplyOptions {
  /** How errors call the next hop. */
  readonly label: string;
  readonly nextHop: Hop;
  /** Hops after the next one: each may take its time to dial. */
  readonly hopsLeft: number;
  /** The client speaks HTTP/1.0 and knows no interim replies. */
  readonly oldClient: boolean;
  /** The reply ends with its head. */
  readonly headOnly: boolean;
}

/**
 * Reads the head of a next hop's reply and returns it as the client is to get it, with the part of the
 * body that came with it. Interim replies are passed on as they come.
 * @throws ViaductError TIMEOUT, CUT_SHORT, BAD_REPLY or NOT_A_NODE
 */
export async function readReply(
  connection: Connection,
  upstream: Channel,
  options: ReplyOptions,
): Promise<OpenedReply> {
  const limitMs = (options.hopsLeft + 1) * HTTP_HEAD_PER_HOP_MS + connection.node.silenceMs;
  const deadline = performance.now() + limitMs;
  for (let begin: Buffer = Buffer.alloc(0); ;) {
    const split = await readReplyHead(
      connection,
      upstream,
      options,
      begin,
      deadline - performance.now(),
      limitMs,
    );
    const reply = named(options, () => parseReply(split.head));
    const first = `HTTP/1.1 ${reply.status} ${reply.reason}`;
    if (reply.status >= 200) {
      requireNode(connection, reply, options);
      // RFC 9112 §6.1: never chunks for HTTP/1.0. A node knows by Via; others may not.
      if (options.oldClient && valuesOf(reply.fields, 'transfer-encoding').length > 0)
        throw failed('BAD_REPLY', 'sent chunks, which an HTTP/1.0 client cannot read', options);
      const head = formatHead(first, [...passedFields(reply.fields, reply.minor), ...NODE_FIELDS]);
      const framing = framingOf(reply, options.headOnly);
      const bytes = Buffer.concat([head, split.rest]);
      return { bytes, length: typeof framing === 'number' ? head.length + framing : undefined };
    }
    // Awaited, so that a hop that sends them without end fills no memory.
    if (!options.oldClient && isPassed(connection, reply, options)) {
      const head = formatHead(first, interimFields(reply.fields, reply.minor));
      connection.interimBytes += head.length;
      await connection.outlet.write(head);
    }
    begin = split.rest;
  }
}

function readReplyHead(
  { signal }: Connection,
  upstream: Channel,
  options: ReplyOptions,
  begin: Buffer,
  timeoutMs: number,
  limitMs: number,
): Promise<Split> {
  return readHead<Split>(upstream, {
    begin,
    scan: (bytes): Verdict<Split> => {
      const split = named(options, () => splitReply(bytes));
      return split === undefined ? {} : { value: split };
    },
    timeoutMs: Math.max(1, timeoutMs),
    signal,
    late: () => failed('TIMEOUT', `sent no reply within ${limitMs / 1000} s`, options),
    gone: () => failed('CUT_SHORT', 'closed the connection before it replied', options, upstream.error),
  });
}

/** Names the hop in what is wrong with its reply. */
function named<T>(options: ReplyOptions, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code, message } = asViaductError(error);
    throw failed(code, message, options, error);
  }
}

/** A forgotten node is no open web proxy: only nodes are relayed, and hosts that the operator has named. */
function requireNode(connection: Connection, reply: ReplyHead, options: ReplyOptions): void {
  if (isPassed(connection, reply, options)) return;
  const how = `--allow-hop ${formatHop(options.nextHop)} would relay it all the same`;
  throw failed('NOT_A_NODE', `is not a node; ${how}`, options);
}

function isPassed({ node }: Connection, { fields }: ReplyHead, { nextHop }: ReplyOptions): boolean {
  return valuesOf(fields, 'viaduct').length > 0 || node.policy.isNamed(nextHop);
}

function failed(
  code: ErrorCode,
  what: string,
  { label, nextHop }: ReplyOptions,
  cause?: unknown,
): ViaductError {
  return new ViaductError(code, `${label} ${what}`, { hopAddress: formatHop(nextHop), cause });
}
