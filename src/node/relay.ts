import { ViaductError } from '../errors.js';
import type { FlowFailure, FlowResult } from '../pump/pump.js';
import { type Hop, formatHop, isParked } from '../route/hop.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import { type Answer, firstAnswer } from '../tcp/first-answer.js';
import { tookNothing } from '../tcp/live-limit.js';
import type { AddressClass } from './access/address.js';
import type { HeldInput } from './client-input.js';
import type { Connection } from './connection.js';
import { answerOfParked } from './parking/first-byte.js';

/** A reply whose head has arrived. */
export interface OpenedReply {
  /** What the client gets first. */
  readonly bytes: Buffer;
  /** Bytes of the whole reply, where the head contains its length. */
  readonly length?: number | undefined;
  /** From here on bytes go both ways, as they come. @default false */
  readonly isTunnel?: boolean;
}

export interface RelayOptions {
  /** What the client sends after its request; never forwarded. */
  readonly input: HeldInput;
  readonly nextHop: Hop;
  /** Hops after the next one. */
  readonly hopsLeft: number;
  /** The request may be for a listing. */
  readonly isListing?: boolean;
  /** The request for the next hop. */
  readonly head: Buffer;
  /** The next hop in error messages. @default `next hop host:port` */
  readonly label?: string;
  /** The client's class. */
  readonly client: AddressClass;
  /** @default the node's own limit */
  readonly connectMs?: number;
  /**
   * Reads the head of the reply. Until it has, an error can still be reported to the client; later errors reset it.
   * @default none: the reply has no head
   */
  readonly openReply?: ReplyOpener;
}

interface ReplyOpener {
  /** How long the next hop may take to send a head, in ms. */
  readonly limitMs: number;
  open(answer: Answer): Promise<OpenedReply>;
}

/**
 * Dials the next hop, sends it the request and pumps the reply back. All dialects relay with this. On return FIN is
 * queued at the client; the lingering close is left to the caller.
 * @throws ViaductError UNAVAILABLE if the client has too much under way; of the dial or of `openReply`; or CUT_SHORT,
 * TIMEOUT, STALLED or CLIENT_GONE
 */
export async function relay(connection: Connection, options: RelayOptions): Promise<void> {
  const { nextHop, label = `next hop ${formatHop(nextHop)}` } = options;
  const giveSharesBack = takeShares(connection, options);
  return pumped(connection, openUpstream(connection, options, label), { label, nextHop }, giveSharesBack);
}

/** An upstream that has begun its reply. */
interface Upstream {
  readonly stream: ByteStream;
  readonly reply: OpenedReply;
  readonly fromClient: Buffer;
}

/** Apart from what opens the upstream: while the bytes flow, nothing of the request is kept. */
async function pumped(
  connection: Connection,
  opening: Promise<Upstream>,
  hop: { readonly label: string; readonly nextHop: Hop },
  giveSharesBack: () => void,
): Promise<void> {
  try {
    const { result, length } = await opening.then((upstream) => startFlow(connection, upstream));
    const { failure } = await result;
    if (failure && !isDeparture(failure, connection.signal))
      throw flowError(connection, failure, hop.label, hop.nextHop, length);
  } finally {
    giveSharesBack();
  }
}

async function openUpstream(connection: Connection, options: RelayOptions, label: string): Promise<Upstream> {
  const { node, signal } = connection;
  const connectMs = options.connectMs ?? node.connectMs;
  const dial = async (except?: string): Promise<ByteStream> => {
    const dialled = await connection.dial(options.nextHop, label, options.client, connectMs, except);
    dialled.write(options.head);
    return dialled;
  };
  const { upstream, reply } = await openReply(
    await dial(),
    dial,
    { ...options, label },
    node.silenceMs,
    signal,
  );
  const fromClient = options.input.stop();
  // Not one byte of a client goes to a next hop that has not answered 101 (RFC 9931).
  if (reply.isTunnel === true && fromClient.length > 0) {
    upstream.reset();
    throw new ViaductError('BAD_REQUEST', 'the client sent bytes before the tunnel was built');
  }
  return { stream: upstream, reply, fromClient };
}

function startFlow(
  { node, stream, exchange, signal }: Connection,
  { stream: upstream, reply, fromClient }: Upstream,
): { readonly result: Promise<FlowResult>; readonly length: number | undefined } {
  exchange.replyBegun = true;
  const flow = node.pump({
    mode: reply.isTunnel === true ? 'duplex' : 'reply',
    client: stream,
    upstream,
    fromClient,
    fromUpstream: reply.bytes,
    length: reply.length,
    silenceMs: node.silenceMs,
    stall: node.stall,
    signal,
    onOffload: () => exchange.stage('offloaded', () => `after ${flow.moved.toClient} bytes`),
  });
  exchange.countBytes(() => flow.moved.toClient);
  return { result: flow.result, length: reply.length };
}

/** @returns gives them back */
function takeShares(
  { node, network }: Connection,
  { hopsLeft, isListing = false }: RelayOptions,
): () => void {
  node.relayed.take(network, hopsLeft);
  if (!isListing) return () => node.relayed.giveBack(network);
  try {
    node.relayedListings.take(network, hopsLeft);
  } catch (error) {
    node.relayed.giveBack(network);
    throw error;
  }
  return () => {
    node.relayed.giveBack(network);
    node.relayedListings.giveBack(network);
  };
}

async function openReply(
  first: ByteStream,
  another: (except: string) => Promise<ByteStream>,
  { openReply: opener, nextHop, label }: RelayOptions & { readonly label: string },
  silenceMs: number,
  signal: AbortSignal,
): Promise<{ readonly upstream: ByteStream; readonly reply: OpenedReply }> {
  let upstream = first;
  try {
    if (opener === undefined && !isParked(nextHop)) return { upstream, reply: { bytes: Buffer.alloc(0) } };
    const limits = { limitMs: opener?.limitMs ?? silenceMs, signal };
    const answer: Answer & { readonly isSilent?: boolean } = isParked(nextHop)
      ? await answerOfParked(first, {
          ...limits,
          another: () => another(first.remote.host),
          mayBeEmpty: opener === undefined,
        })
      : await firstAnswer(first, { ...limits, another, host: nextHop.host });
    upstream = answer.stream;
    if (opener !== undefined) return { upstream, reply: await opener.open(answer) };
    signal.throwIfAborted();
    if (answer.isSilent === true) throw silent(label, nextHop, silenceMs);
    return { upstream, reply: { bytes: answer.begin } };
  } catch (error) {
    upstream.reset();
    throw error;
  }
}

function silent(label: string, hop: Hop, silenceMs: number, cause?: unknown): ViaductError {
  const details = { hopAddress: formatHop(hop), cause };
  return new ViaductError('TIMEOUT', `${label} sent nothing for ${silenceMs / 1000} s`, details);
}

/** A client that has sent FIN may leave: it has all that it wants, and what TLS says at its end reaches nobody. */
function isDeparture({ code, clientEnded }: FlowFailure, { reason }: AbortSignal): boolean {
  const left = code === 'ABORTED' && reason instanceof ViaductError ? reason.code : code;
  return clientEnded === true && left === 'CLIENT_GONE';
}

/** What broke, as far as this node can know: it sees only its neighbours. */
function flowError(
  { node, exchange, signal }: Connection,
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
      const bytes = length === undefined ? `${exchange.bytes}` : `${exchange.bytes} of ${length}`;
      return new ViaductError('CUT_SHORT', `${label} ${how} the connection after ${bytes} bytes`, details);
    }
    case 'TIMEOUT':
      return silent(label, hop, node.silenceMs, failure.cause);
    case 'STALLED':
      return new ViaductError('STALLED', tookNothing(node.stall));
    case 'INTERNAL':
      return new ViaductError(
        'INTERNAL',
        `the thread that moved the bytes died: ${failure.cause?.message}`,
        details,
      );
  }
}
