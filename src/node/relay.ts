import { ViaductError } from '../errors.js';
import type { Channel } from '../tcp/stream.js';
import type { FlowFailure } from '../pump/pump.js';
import { type Hop, formatHop } from '../route/hop.js';
import type { AddressClass } from './access/address.js';
import type { Connection } from './connection.js';

/** A reply whose head has come. */
export interface OpenedReply {
  /** What the client gets first. */
  readonly bytes: Buffer;
  /** Bytes that the client has to get in all, where the head tells. */
  readonly length?: number | undefined;
}

export interface RelayOptions {
  /** What the client sent after its request; never forwarded. */
  readonly rest: Buffer;
  readonly nextHop: Hop;
  /** The request, as the next hop is to get it. */
  readonly head: Buffer;
  /** How errors call the next hop. @default `next hop host:port` */
  readonly label?: string;
  /** The client's class. @default as observed */
  readonly client?: AddressClass;
  /** @default the node's own limit */
  readonly connectMs?: number;
  /**
   * Reads the head of the reply. Until it has, an error can still be told to the client; after, only by a
   * reset. @default none: the reply has no head
   */
  readonly openReply?: (upstream: Channel) => Promise<OpenedReply>;
}

/**
 * Dials the next hop, hands it the request and pumps the reply back. All dialects relay with this. On
 * return FIN is queued at the client; the lingering close is left to the caller.
 * @throws ViaductError of the dial or of `openReply`, or CUT_SHORT, TIMEOUT, STALLED or CLIENT_GONE
 */
export async function relay(connection: Connection, options: RelayOptions): Promise<void> {
  const { node, channel: client, transfer, signal } = connection;
  const { nextHop, label = `next hop ${formatHop(nextHop)}` } = options;
  const clientClass = options.client ?? connection.clientClass();
  const upstream = await connection.dial(nextHop, label, clientClass, options.connectMs ?? node.connectMs);
  upstream.socket.write(options.head);
  const reply = await openReply(upstream, options);
  client.pause();
  const { toClient, failure } = await node.pump({
    mode: 'reply',
    client,
    upstream,
    fromClient: options.rest,
    fromUpstream: reply.bytes,
    length: reply.length,
    silenceMs: node.silenceMs,
    stallMs: node.stallMs,
    signal,
  });
  transfer.bytes = toClient;
  if (failure) throw flowError(connection, failure, label, nextHop, reply.length);
}

async function openReply(upstream: Channel, options: RelayOptions): Promise<OpenedReply> {
  try {
    return (await options.openReply?.(upstream)) ?? { bytes: Buffer.alloc(0) };
  } catch (error) {
    upstream.reset();
    throw error;
  }
}

/** What broke, told from the node's place: its neighbours are all it sees. */
function flowError(
  { node, transfer, signal }: Connection,
  failure: FlowFailure,
  label: string,
  hop: Hop,
  length: number | undefined,
): unknown {
  const details = { hopAddress: formatHop(hop), cause: failure.cause };
  switch (failure.code) {
    case 'ABORTED':
      return signal.reason;
    case 'CLIENT_GONE':
      return new ViaductError('CLIENT_GONE', 'the client left', { cause: failure.cause });
    case 'CUT_SHORT': {
      const how = failure.cause === undefined && length !== undefined ? 'closed' : 'reset';
      const bytes = length === undefined ? `${transfer.bytes}` : `${transfer.bytes} of ${length}`;
      return new ViaductError('CUT_SHORT', `${label} ${how} the connection after ${bytes} bytes`, details);
    }
    case 'TIMEOUT':
      return new ViaductError('TIMEOUT', `${label} sent nothing for ${node.silenceMs / 1000} s`, details);
    case 'STALLED':
      return new ViaductError('STALLED', `the client took nothing for ${node.stallMs / 1000} s`);
    case 'INTERNAL':
      return new ViaductError(
        'INTERNAL',
        `the thread that moved the bytes died: ${failure.cause?.message}`,
        details,
      );
  }
}
