import type { Signal } from '../signal.js';
import { isIP } from 'node:net';
import { ViaductError, systemCode, systemReason } from '../errors.js';
import { MAX_TIMER_MS } from '../defaults.js';
import { type Hop, type HostHop, formatHop } from '../route/hop.js';
import type { ByteStream } from './byte-stream.js';
import { earlyEnd, isReset } from './early-reset.js';
import { addressesOf } from './look-up.js';
import { Resolver } from './resolver.js';
import { type Connect, type DialledStream, connecting } from './connecting.js';

/** Head start of one address over the next (RFC 8305 §5, "Connection Attempt Delay"). */
export const ATTEMPT_DELAY_MS = 250;

/** Addresses of a name that are dialled; all are checked. Limits what a hostile name can make a relay do. */
export const ADDRESSES_DIALLED = 6;

export interface DialOptions {
  /** The hop in error messages, such as `hop 1 (h1:12000)`. */
  readonly label: string;
  /** For everything together: look-up and all addresses, in ms. */
  readonly timeoutMs: number;
  /** Ends the attempt; its reason is thrown. */
  readonly signal: Signal;
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

  async dial(hop: HostHop, options: DialOptions): Promise<ByteStream> {
    const { label, timeoutMs, signal, permit } = options;
    const startedAt = performance.now();
    let known = 0;
    let race: ConnectRace | undefined;
    /** Said only if addresses were left out: an error is then not about all of them. */
    const addressesTried = (): string =>
      race !== undefined && race.started < known ? `; ${race.started} of ${known} addresses tried` : '';
    const late = (stage: string): ViaductError => {
      const message = `${label} ${stage} within ${timeoutMs / 1000} s${addressesTried()}`;
      return new ViaductError('CONNECT_TIMEOUT', message, { hopAddress: formatHop(hop) });
    };
    try {
      const addresses =
        isIP(hop.host) === 0 ? await this.#lookUp(hop, options, () => late('was not resolved')) : [hop.host];
      permit?.(hop, addresses);
      known = addresses.length;
      const others = addresses.filter((address) => address !== options.except);
      const dialled = interleave(others).slice(0, ADDRESSES_DIALLED);
      const limits = {
        leftMs: timeoutMs - (performance.now() - startedAt),
        late: () => late('did not answer'),
        signal,
        connect: this.#connect,
      };
      return await new Promise<ByteStream>((resolve, reject) => {
        race = new ConnectRace(dialled, hop.port, limits, resolve, reject);
        race.start();
      });
    } catch (error) {
      if (error instanceof ViaductError || signal.aborted) throw error;
      throw dialError(error, label, hop, addressesTried());
    }
  }

  /** @param late makes the error after the time limit */
  async #lookUp(hop: HostHop, options: DialOptions, late: () => ViaductError): Promise<readonly string[]> {
    // Not AbortSignal.any(): it costs three times as much, and a signal that lives long keeps 58 bytes of each (measured).
    const end = new AbortController();
    const { signal } = end;
    const forward = (): void => end.abort(options.signal.reason);
    options.signal.addEventListener('abort', forward, { once: true });
    if (options.signal.aborted) forward();
    const timer = setTimeout(() => end.abort(late()), Math.min(options.timeoutMs, MAX_TIMER_MS));
    try {
      return await addressesOf(hop, this.#resolver, { ...options, signal });
    } finally {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', forward);
    }
  }
}

interface ConnectLimits {
  /** For all addresses together. */
  readonly leftMs: number;
  /** The error after it. */
  readonly late: () => ViaductError;
  readonly signal: Signal;
  readonly connect: Connect;
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

/** The first address to connect wins, the others are closed; the first error counts if none does. */
class ConnectRace {
  /** Addresses that are or were dialled. */
  started = 0;
  readonly #addresses: readonly string[];
  readonly #port: number;
  readonly #limits: ConnectLimits;
  readonly #resolve: (winner: DialledStream) => void;
  readonly #reject: (error: unknown) => void;
  /** With what takes their listener away: the winner lives long, and would keep all of this. */
  readonly #attempts = new Map<DialledStream, () => void>();
  #firstError: Error | undefined;
  #next: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #isSettled = false;

  constructor(
    addresses: readonly string[],
    port: number,
    limits: ConnectLimits,
    resolve: (winner: DialledStream) => void,
    reject: (error: unknown) => void,
  ) {
    this.#addresses = addresses;
    this.#port = port;
    this.#limits = limits;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    const { leftMs, signal } = this.#limits;
    if (this.#addresses.length === 0) return this.#fail(new Error('no address'));
    if (signal.aborted) return this.#aborted();
    this.#deadline = setTimeout(this.#late, Math.min(leftMs, MAX_TIMER_MS));
    signal.addEventListener('abort', this.#aborted, { once: true });
    this.#startNext();
  }

  #startNext(): void {
    clearTimeout(this.#next);
    const address = this.#addresses[this.started];
    if (address === undefined) return;
    this.started += 1;
    const attempt = this.#limits.connect(address, this.#port, this.#connected);
    this.#attempts.set(
      attempt,
      attempt.onClose(() => this.#closed(attempt)),
    );
    if (this.started < this.#addresses.length)
      this.#next = setTimeout(() => this.#startNext(), ATTEMPT_DELAY_MS);
  }

  readonly #connected = (attempt: DialledStream): void => {
    if (this.#isSettled) return;
    if (isOwnPeer(attempt)) {
      attempt.error = Object.assign(new Error('the connection met its own port'), { code: 'ECONNREFUSED' });
      return attempt.reset();
    }
    this.#settle(attempt);
    this.#resolve(attempt);
  };

  #closed(attempt: DialledStream): void {
    if (this.#isSettled) return;
    this.#attempts.delete(attempt);
    this.#firstError ??= attempt.error;
    if (this.started < this.#addresses.length) return this.#startNext();
    if (this.#attempts.size > 0) return;
    this.#fail(this.#firstError ?? new Error('no address'));
  }

  readonly #aborted = (): void => this.#fail(this.#limits.signal.reason);

  readonly #late = (): void => this.#fail(this.#limits.late());

  #fail(error: unknown): void {
    this.#settle(undefined);
    this.#reject(error);
  }

  #settle(winner: DialledStream | undefined): void {
    this.#isSettled = true;
    clearTimeout(this.#next);
    clearTimeout(this.#deadline);
    this.#limits.signal.removeEventListener('abort', this.#aborted);
    for (const [attempt, forget] of this.#attempts) {
      if (attempt === winner) forget();
      else attempt.reset();
    }
  }
}

/**
 * True if the kernel chose the dialled port itself as the local port: TCP then opens the connection to itself (RFC 9293
 * §3.5, simultaneous open). It happens on one's own machine, where nobody listens on a port of the ephemeral range.
 */
export function isOwnPeer({ local, remote }: ByteStream): boolean {
  return local.port === remote.port && local.host === remote.host;
}

function dialError(cause: unknown, label: string, hop: HostHop, tried: string): ViaductError {
  const details = { hopAddress: formatHop(hop), cause };
  const code = systemCode(cause);
  if (code === 'ECONNREFUSED')
    return new ViaductError('REFUSED', `${label} refused the connection${tried}`, details);
  if (code === 'ETIMEDOUT')
    return new ViaductError('CONNECT_TIMEOUT', `${label} did not answer${tried}`, details);
  if (isReset(cause))
    return new ViaductError('REFUSED', `${label} ${earlyEnd('at once', cause)}${tried}`, details);
  return new ViaductError(
    'UNREACHABLE',
    `${label} cannot be reached: ${systemReason(cause)}${tried}`,
    details,
  );
}
