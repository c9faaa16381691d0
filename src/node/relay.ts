import { ViaductError } from '../errors.js';
import type { Channel } from '../net/channel.js';
import type { FlowFailure, FlowResult, Pump } from '../net/pump.js';
import { type Hop, formatHop } from '../route.js';

export interface RelayOptions {
  readonly client: Channel;
  /** What the client sent after its request. */
  readonly rest: Buffer;
  readonly nextHop: Hop;
  /** The request, as the next hop is to get it. */
  readonly head: Buffer;
  /** Dials the next hop. */
  readonly dial: (hop: Hop, label: string) => Promise<Channel>;
  readonly pump: Pump;
  readonly silenceMs: number;
  readonly stallMs: number;
  readonly signal: AbortSignal;
  readonly onSent: (bytes: number) => void;
}

/**
 * Dials the next hop, hands it the request and pumps the reply back. On return FIN is queued at the
 * client; the lingering close is left to the caller.
 * @throws ViaductError of the dial, or CUT_SHORT, TIMEOUT, STALLED or CLIENT_GONE
 */
export async function relay(options: RelayOptions): Promise<void> {
  const { client, nextHop, signal } = options;
  const label = `next hop ${formatHop(nextHop)}`;
  const upstream = await options.dial(nextHop, label);
  upstream.socket.write(options.head);
  client.pause();
  const result = await options.pump({
    mode: 'reply',
    client,
    upstream,
    fromClient: options.rest,
    fromUpstream: Buffer.alloc(0),
    silenceMs: options.silenceMs,
    stallMs: options.stallMs,
    signal,
  });
  options.onSent(result.toClient);
  if (result.failure) throw flowError(result.failure, result, label, options);
}

/** What broke, told from the node's place: its neighbours are all it sees. */
function flowError(
  failure: FlowFailure,
  { toClient }: FlowResult,
  label: string,
  options: RelayOptions,
): unknown {
  const details = { hop: formatHop(options.nextHop), cause: failure.cause };
  switch (failure.code) {
    case 'ABORTED':
      return options.signal.reason;
    case 'CUT_SHORT':
      return new ViaductError('CUT_SHORT', `${label} reset the connection after ${toClient} bytes`, details);
    case 'TIMEOUT':
      return new ViaductError('TIMEOUT', `${label} sent nothing for ${options.silenceMs / 1000} s`, details);
    case 'STALLED':
      return new ViaductError('STALLED', `the client took nothing for ${options.stallMs / 1000} s`);
    case 'CLIENT_GONE':
      return new ViaductError('CLIENT_GONE', `the client left after ${toClient} bytes`, {
        cause: failure.cause,
      });
  }
}
