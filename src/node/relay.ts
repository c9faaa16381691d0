import type { Signal } from '../signal.js';
import { ViaductError, asViaductError } from '../errors.js';
import { type Hop, formatHop, isParked } from '../route/hop.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import { type Answer, firstAnswer } from '../tcp/first-answer.js';
import type { AddressClass } from './access/address.js';
import type { HeldInput } from './client-input.js';
import type { Connection } from './connection.js';
import { flowError, isDeparture, silent } from './flow-error.js';
import { answerOfParked } from './parking/first-byte.js';
import { type OpenedReply, type Upstream, startReply } from './reply-flow.js';

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
  /** A connection that was kept may be used. @default false */
  readonly mayReuse?: boolean;
  /** The next hop in error messages. */
  readonly label: string;
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
 * @returns what the client has sent, if its connection is kept instead
 * @throws ViaductError UNAVAILABLE if the client has too much under way; of the dial or of `openReply`; or CUT_SHORT,
 * TIMEOUT, STALLED or CLIENT_GONE
 */
export function relay(connection: Connection, options: RelayOptions): Promise<Buffer | undefined> {
  const { nextHop, label, client } = options;
  const giveSharesBack = takeShares(connection, options);
  const hop = { label, nextHop, client };
  return pumped(connection, openUpstream(connection, options), hop, giveSharesBack);
}

/** Apart from what opens the upstream: while the bytes flow, nothing of the request is kept. */
async function pumped(
  connection: Connection,
  opening: Promise<Upstream>,
  hop: { readonly label: string; readonly nextHop: Hop; readonly client: AddressClass },
  giveSharesBack: () => void,
): Promise<Buffer | undefined> {
  try {
    const { result, length, keeps, upstream } = await opening.then((open) => startReply(connection, open));
    const { failure, kept, hasExcess } = await result;
    if (failure && !isDeparture(failure, connection.signal))
      throw flowError(connection, failure, hop.label, hop.nextHop, length);
    if (failure || keeps === undefined) return undefined;
    // What came behind the reply would be taken for the next one.
    if (keeps.upstream && hasExcess !== true) connection.upstream.keep(upstream, hop.nextHop, hop.client);
    else upstream.reset();
    if (hasExcess !== true) return kept;
    await connection.writer.finish();
    return undefined;
  } finally {
    giveSharesBack();
  }
}

async function openUpstream(connection: Connection, options: RelayOptions): Promise<Upstream> {
  const { node, signal } = connection;
  const connectMs = options.connectMs ?? node.connectMs;
  if (options.mayReuse === true) {
    const reused = await openKept(connection, options);
    if (reused !== undefined) return reused;
  }
  const dial = (except?: string): Promise<ByteStream> =>
    connection.dial(options.nextHop, options.label, options.client, connectMs, except);
  const ask = (stream: ByteStream): ByteStream => {
    stream.write(options.head);
    return stream;
  };
  const another = async (except?: string): Promise<ByteStream> => ask(await dial(except));
  return opened(options, await openReply(ask(await dial()), another, options, node.silenceMs, signal));
}

/** Over the connection that was kept, if there is one and it still answers. */
async function openKept(
  { node, signal, upstream: kept, exchange }: Connection,
  options: RelayOptions,
): Promise<Upstream | undefined> {
  const stream = kept.take(options.nextHop, options.client);
  if (stream === undefined) return undefined;
  const { received } = stream;
  exchange.reused(formatHop(stream.remote));
  stream.write(options.head);
  try {
    return opened(options, await openReply(stream, noOther, options, node.silenceMs, signal));
  } catch (error) {
    // Nothing has come, so the next hop has closed it meanwhile.
    const isClosed = stream.received === received && asViaductError(error).code === 'CUT_SHORT';
    if (signal.aborted || !isClosed) throw error;
    return undefined;
  }
}

function noOther(): Promise<ByteStream> {
  return Promise.reject(new ViaductError('CUT_SHORT', 'a kept connection is replaced by a new one'));
}

function opened(
  options: RelayOptions,
  { upstream, reply }: { readonly upstream: ByteStream; readonly reply: OpenedReply },
): Upstream {
  const fromClient = options.input.stop();
  // Not one byte of a client goes to a next hop that has not answered 101 (RFC 9931).
  if (reply.isTunnel === true && fromClient.length > 0) {
    upstream.reset();
    throw new ViaductError('BAD_REQUEST', 'the client sent bytes before the tunnel was built');
  }
  return { stream: upstream, reply, fromClient };
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
  { openReply: opener, nextHop, label }: RelayOptions,
  silenceMs: number,
  signal: Signal,
): Promise<{ readonly upstream: ByteStream; readonly reply: OpenedReply }> {
  let upstream = first;
  try {
    if (opener === undefined && !isParked(nextHop)) return { upstream, reply: { bytes: Buffer.alloc(0) } };
    const limitMs = opener?.limitMs ?? silenceMs;
    const answer: Answer & { readonly isSilent?: boolean } = isParked(nextHop)
      ? await answerOfParked(first, {
          limitMs,
          signal,
          another: () => another(first.remote.host),
          mayBeEmpty: opener === undefined,
        })
      : await firstAnswer(first, { limitMs, signal, another, host: nextHop.host });
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
