import type { FindEnd, FlowResult } from '../pump/pump.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import type { Connection } from './connection.js';

/** A reply whose head has arrived. */
export interface OpenedReply {
  /** What the client gets first. */
  readonly bytes: Buffer;
  /** Bytes of the whole reply, where the head contains its length. */
  readonly length?: number | undefined;
  /** Where it does not, and the end can be found. */
  readonly findEnd?: FindEnd | undefined;
  /** What is kept for a further request after it. @default nothing */
  readonly keeps?: Kept | undefined;
  /** From here on bytes go both ways, as they come. @default false */
  readonly isTunnel?: boolean;
}

interface Kept {
  /** The connection to the next hop too, not only the client's. */
  readonly upstream: boolean;
  /** Bytes of the client's input that are kept meanwhile. */
  readonly inputBytes: number;
}

/** An upstream that has begun its reply. */
export interface Upstream {
  readonly stream: ByteStream;
  readonly reply: OpenedReply;
  readonly fromClient: Buffer;
}

type Started = Pick<OpenedReply, 'length' | 'keeps'> & {
  readonly result: FlowResult | Promise<FlowResult>;
  readonly upstream: ByteStream;
};

/** Passes a reply on. */
export function startReply(connection: Connection, open: Upstream): Started {
  return isWhole(open.reply) ? passWhole(connection, open) : startFlow(connection, open);
}

/** A reply that came with its head: most small ones. */
function isWhole({ bytes, length = Infinity, isTunnel }: OpenedReply): boolean {
  return bytes.length >= length && isTunnel !== true;
}

/** Nothing has to be pumped. */
function passWhole(connection: Connection, open: Upstream): Started {
  const { exchange, stream } = connection;
  const { length = 0, keeps } = open.reply;
  exchange.replyBegun = true;
  exchange.countBytes(() => Math.max(0, length - stream.unsent));
  return { result: sendWhole(connection, open), length, keeps, upstream: open.stream };
}

/** Mostly the kernel takes it at once. */
function sendWhole(connection: Connection, open: Upstream): FlowResult | Promise<FlowResult> {
  const { stream } = connection;
  const { bytes, length = 0, keeps } = open.reply;
  const whole = bytes.length === length ? bytes : bytes.subarray(0, length);
  const isSent = keeps === undefined ? stream.finish(undefined, whole) : stream.write(whole);
  return isSent && !stream.closed ? sent(open) : sendSlowly(connection, open);
}

async function sendSlowly({ writer }: Connection, open: Upstream): Promise<FlowResult> {
  try {
    // What is written after it waits for it too.
    await (open.reply.keeps === undefined ? writer.finish() : writer.write(Buffer.alloc(0)));
  } catch (error) {
    open.stream.reset();
    throw error;
  }
  return sent(open);
}

function sent({ stream, reply: { bytes, length = 0, keeps }, fromClient }: Upstream): FlowResult {
  if (keeps === undefined) stream.leave();
  const hasExcess = bytes.length > length;
  return { toClient: length, toUpstream: 0, failure: undefined, kept: fromClient, hasExcess };
}

function startFlow(
  { node, stream, exchange, signal }: Connection,
  { stream: upstream, reply, fromClient }: Upstream,
): Started {
  const { length, findEnd, keeps } = reply;
  exchange.replyBegun = true;
  const flow = node.pump({
    mode: reply.isTunnel === true ? 'duplex' : 'reply',
    client: stream,
    upstream,
    fromClient,
    fromUpstream: reply.bytes,
    length,
    findEnd,
    keep: keeps?.inputBytes,
    silenceMs: node.silenceMs,
    stall: node.stall,
    signal,
    onOffload: () => exchange.stage('offloaded', () => `after ${flow.moved.toClient} bytes`),
  });
  exchange.countBytes(() => flow.moved.toClient);
  return { result: flow.result, length, keeps, upstream };
}
