import type { Signal } from '../signal.js';
import { ViaductError } from '../errors.js';
import type { FlowFailure } from '../pump/pump.js';
import { type Hop, formatHop } from '../route/hop.js';
import { tookNothing } from '../tcp/live-limit.js';
import type { Connection } from './connection.js';

export function silent(label: string, hop: Hop, silenceMs: number, cause?: unknown): ViaductError {
  const details = { hopAddress: formatHop(hop), cause };
  return new ViaductError('TIMEOUT', `${label} sent nothing for ${silenceMs / 1000} s`, details);
}

/** A client that has sent FIN may leave: it has all that it wants, and what TLS says at its end reaches nobody. */
export function isDeparture({ code, clientEnded }: FlowFailure, { reason }: Signal): boolean {
  const left = code === 'ABORTED' && reason instanceof ViaductError ? reason.code : code;
  return clientEnded === true && left === 'CLIENT_GONE';
}

/** What broke, as far as this node can know: it sees only its neighbours. */
export function flowError(
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
    case 'BAD_REPLY':
      return new ViaductError('BAD_REPLY', `${label} ${failure.cause?.message}`, details);
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
