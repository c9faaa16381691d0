import { isIP } from 'node:net';
import { ViaductError } from '../errors.js';
import { MAX_TIMER_MS } from '../defaults.js';
import type { Hop, HostHop } from '../route/hop.js';
import type { ByteStream } from './byte-stream.js';
import { type AttemptOptions, ConnectRace, dialError, dialledTooLong } from './connect-race.js';
import { type Connect, connecting } from './connecting.js';
import { addressesOf } from './look-up.js';
import { Resolver } from './resolver.js';

/** Addresses of a name that are dialled; all are checked. Limits what a hostile name can make a relay do. */
export const ADDRESSES_DIALLED = 6;

export interface DialOptions extends AttemptOptions {
  /** The client that the name is looked up for (see {@link Resolver.resolve}). @default the same for all */
  readonly client?: string;
  /** An address that is not dialled, as it was tried before. @default none */
  readonly except?: string | undefined;
  /** Throws if the hop, with any one of its addresses, must not be dialled. @default everything may be */
  readonly permit?: (hop: HostHop, addresses: readonly string[]) => void;
}

/** From a hop to a connected stream. */
export interface Dialler<Kind extends Hop = HostHop> {
  /**
   * @returns a connected stream without a reader
   * @throws ViaductError DNS_ERROR, PROHIBITED (by `permit`), REFUSED, UNREACHABLE or CONNECT_TIMEOUT; the signal's reason
   */
  dial(hop: Kind, options: DialOptions): Promise<ByteStream>;
}

/**
 * Dials over TCP; the one place that does. It resolves the hop, asks `permit`, and connects to the very addresses that
 * were checked, as in RFC 8305: families take turns, each address gets a head start of 250 ms over the next, and the
 * first to connect wins.
 */
export class TcpDialler implements Dialler {
  readonly #resolver: Resolver;
  readonly #connect: Connect;

  constructor(resolver = new Resolver(), connect = connecting()) {
    this.#resolver = resolver;
    this.#connect = connect;
  }

  dial(hop: HostHop, options: DialOptions): Promise<ByteStream> {
    const startedAt = performance.now();
    return isIP(hop.host) === 0
      ? this.#dialName(hop, options, startedAt)
      : this.#dialFirst(hop, [hop.host], options, startedAt);
  }

  async #dialName(hop: HostHop, options: DialOptions, startedAt: number): Promise<ByteStream> {
    let addresses: readonly string[];
    try {
      addresses = await this.#lookUp(hop, options);
    } catch (error) {
      throw error instanceof ViaductError || options.signal.aborted
        ? error
        : dialError(error, hop, options.label);
    }
    return this.#dialFirst(hop, addresses, options, startedAt);
  }

  async #lookUp(hop: HostHop, options: DialOptions): Promise<readonly string[]> {
    // Not AbortSignal.any(): it costs three times as much, and a signal that lives long keeps 58 bytes of each (measured).
    const end = new AbortController();
    const { signal } = end;
    const forward = (): void => end.abort(options.signal.reason);
    options.signal.addEventListener('abort', forward, { once: true });
    if (options.signal.aborted) forward();
    const expire = (): void => end.abort(dialledTooLong(hop, options, 'was not resolved'));
    const timer = setTimeout(expire, Math.min(options.timeoutMs, MAX_TIMER_MS));
    try {
      return await addressesOf(hop, this.#resolver, { ...options, signal });
    } finally {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', forward);
    }
  }

  /** Dials the addresses that are permitted, in turn. */
  #dialFirst(
    hop: HostHop,
    addresses: readonly string[],
    options: DialOptions,
    startedAt: number,
  ): Promise<ByteStream> {
    return new Promise((resolve, reject) => {
      options.permit?.(hop, addresses);
      const others = addresses.filter((address) => address !== options.except);
      const dialled = interleave(others).slice(0, ADDRESSES_DIALLED);
      const leftMs = options.timeoutMs - (performance.now() - startedAt);
      new ConnectRace(hop, options, this.#connect, resolve, reject).start(dialled, addresses.length, leftMs);
    });
  }
}

/** Families take turns, beginning with that of the first address (RFC 8305 §4). */
export function interleave(addresses: readonly string[]): readonly string[] {
  if (addresses.length < 2) return addresses;
  const first = addresses.filter((address) => isIP(address) === isIP(addresses[0] ?? ''));
  const second = addresses.filter((address) => isIP(address) !== isIP(addresses[0] ?? ''));
  return addresses.flatMap((_, index) => [
    ...first.slice(index, index + 1),
    ...second.slice(index, index + 1),
  ]);
}
