import type { ViaductError } from '../../errors.js';
import type { Location } from '../../route/location.js';
import { earlyEnd } from '../../tcp/early-reset.js';
import type { Answer } from '../../tcp/first-answer.js';
import { type Verdict, readUntil } from '../../tcp/read-until.js';
import { valuesOf } from '../../wire/http/head.js';
import { type FinalReply, ReplyHeadReader } from '../../wire/http/reply.js';
import { remoteError } from './remote-error.js';
import { type Peer, type Reply, named, peerError } from './reply.js';

/** The body of an error reply, and how long a client reads it; the head alone names the failure. */
const ERROR_BODY_BYTES = 64 * 1024;
const ERROR_BODY_MS = 5000;

/**
 * The head of the final reply, interim ones skipped, and what follows it.
 * @param limitMs the limit that `answer.leftMs` is the rest of
 * @param maySwitch 101 is final
 * @throws ViaductError TIMEOUT, CUT_SHORT, BAD_REPLY or NOT_A_NODE
 */
export async function readReplyHead(
  peer: Peer,
  { begin, leftMs }: Omit<Answer, 'stream'>,
  limitMs: number,
  maySwitch = false,
): Promise<FinalReply> {
  const { stream, signal } = peer;
  const heads = new ReplyHeadReader(() => {}, maySwitch);
  const reply = await readUntil<FinalReply>(stream, {
    begin,
    scan: (bytes): Verdict<FinalReply> => {
      const found = named(peer, () => heads.read(bytes));
      return found === undefined ? {} : { value: found };
    },
    timeoutMs: leftMs,
    signal,
    late: () => peerError(peer, 'TIMEOUT', `sent no reply within ${limitMs / 1000} s`),
    gone: () => peerError(peer, 'CUT_SHORT', earlyEnd('before it replied', stream.error), stream.error),
  });
  if (valuesOf(reply.head.fields, 'viaduct').length === 0)
    throw peerError(peer, 'NOT_A_NODE', 'is not a node');
  return reply;
}

/** The failure that an error reply (4xx, 5xx) describes. */
export async function errorOf(reply: Reply, location: Location): Promise<ViaductError> {
  return remoteError(reply, await errorBody(reply), location);
}

/** Empty if it cannot be read to its end in time, since the head alone names the failure. */
async function errorBody(reply: Reply): Promise<Buffer> {
  try {
    return await reply.bytes(ERROR_BODY_BYTES, ERROR_BODY_MS);
  } catch {
    reply.close();
    return Buffer.alloc(0);
  }
}
