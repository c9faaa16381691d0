import { isIP } from 'node:net';
import { ViaductError, systemCode, systemReason } from '../errors.js';
import { MAX_TIMER_MS } from '../defaults.js';
import { type Hop, formatHop } from '../route/hop.js';
import { Channel } from './stream.js';
import type { Resolver } from './resolver.js';

/** Head start of one address over the next (RFC 8305 §5, "Connection Attempt Delay"). */
export const ATTEMPT_DELAY_MS = 250;

/** Addresses of a name that are dialled; all are checked. Bounds what a hostile name can make a relay do. */
export const ADDRESSES_DIALLED = 6;

export interface DialOptions {
  /** How errors call the hop, such as `hop 1 (h1:12000)`. */
  readonly label: string;
  /** For everything together: look-up and all addresses, in ms. */
  readonly timeoutMs: number;
  /** Ends the attempt; its reason is thrown. */
  readonly signal: AbortSignal;
  readonly resolver: Resolver;
  /** For whom the name is looked up (see {@link Resolver.resolve}). */
  readonly client: string;
  /** Throws if the hop, with any one of its addresses, must not be dialled. */
  readonly permit: (hop: Hop, addresses: readonly string[]) => void;
}

/**
 * The one function that dials. It resolves the hop, asks `permit`, and connects to the very addresses
 * that were checked, in the way of RFC 8305: families take turns, each address gets a head start of
 * 250 ms over the next, and the first to connect wins.
 *
 * @returns a connected channel, paused
 * @throws ViaductError DNS_ERROR, PROHIBITED (by `permit`), REFUSED, UNREACHABLE or CONNECT_TIMEOUT, or
 *   the signal's reason
 */
export async function dial(hop: Hop, options: DialOptions): Promise<Channel> {
  const { label, timeoutMs, signal } = options;
  const deadline = new AbortController();
  const forward = (): void => deadline.abort(signal.reason);
  signal.addEventListener('abort', forward, { once: true });
  if (signal.aborted) forward();
  let stage = 'was not resolved';
  const timer = setTimeout(
    () => {
      const message = `${label} ${stage} within ${timeoutMs / 1000} s`;
      deadline.abort(new ViaductError('CONNECT_TIMEOUT', message, { hopAddress: formatHop(hop) }));
    },
    Math.min(timeoutMs, MAX_TIMER_MS),
  );
  try {
    const addresses = await addressesOf(hop, options, deadline.signal);
    options.permit(hop, addresses);
    stage = 'did not answer';
    const tried = interleave(addresses).slice(0, ADDRESSES_DIALLED);
    return await connectFirst(tried, hop.port, deadline.signal);
  } catch (error) {
    throw error instanceof ViaductError || signal.aborted ? error : dialError(error, label, hop);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', forward);
  }
}

async function addressesOf(hop: Hop, options: DialOptions, signal: AbortSignal): Promise<readonly string[]> {
  if (isIP(hop.host) !== 0) return [hop.host];
  try {
    return await options.resolver.resolve(hop.host, options.client, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    const why =
      systemCode(error) === 'EAI_AGAIN' ? 'cannot be resolved now' : 'does not resolve to an address';
    throw new ViaductError('DNS_ERROR', `${options.label} ${why}`, {
      hopAddress: formatHop(hop),
      cause: error,
    });
  }
}

/** Families take turns, beginning with that of the first address (RFC 8305 §4). */
export function interleave(addresses: readonly string[]): string[] {
  const first = addresses.filter((address) => isIP(address) === isIP(addresses[0] ?? ''));
  const second = addresses.filter((address) => isIP(address) !== isIP(addresses[0] ?? ''));
  return addresses.flatMap((_, index) => [
    ...first.slice(index, index + 1),
    ...second.slice(index, index + 1),
  ]);
}

/** The first address to connect wins, the others are closed; the first error counts if none does. */
function connectFirst(addresses: readonly string[], port: number, signal: AbortSignal): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const attempts = new Set<Channel>();
    let started = 0;
    let firstError: Error | undefined;
    let timer: NodeJS.Timeout | undefined;

    let settled = false;
    const settle = (winner: Channel | undefined): void => {
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      for (const attempt of attempts) if (attempt !== winner) attempt.reset();
    };
    const aborted = (): void => {
      settle(undefined);
      reject(signal.reason);
    };
    const startNext = (): void => {
      clearTimeout(timer);
      const address = addresses[started];
      if (address === undefined) return;
      started += 1;
      const attempt = Channel.dialling(address, port);
      attempts.add(attempt);
      const failed = (): void => {
        if (settled) return;
        attempts.delete(attempt);
        firstError ??= attempt.error;
        if (started < addresses.length) return startNext();
        if (attempts.size > 0) return;
        settle(undefined);
        reject(firstError ?? new Error('no address'));
      };
      attempt.socket.once('close', failed);
      attempt.socket.once('connect', () => {
        if (settled) return;
        settle(attempt);
        resolve(attempt);
      });
      timer = setTimeout(startNext, ATTEMPT_DELAY_MS);
    };

    if (addresses.length === 0) return reject(new Error('no address'));
    if (signal.aborted) return aborted();
    signal.addEventListener('abort', aborted, { once: true });
    startNext();
  });
}

function dialError(cause: unknown, label: string, hop: Hop): ViaductError {
  const details = { hopAddress: formatHop(hop), cause };
  const code = systemCode(cause);
  if (code === 'ECONNREFUSED') return new ViaductError('REFUSED', `${label} refused the connection`, details);
  if (code === 'ETIMEDOUT') return new ViaductError('CONNECT_TIMEOUT', `${label} did not answer`, details);
  return new ViaductError('UNREACHABLE', `${label} cannot be reached: ${systemReason(cause)}`, details);
}
