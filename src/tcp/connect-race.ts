import { MAX_TIMER_MS } from '../defaults.js';
import { ViaductError, systemCode, systemReason } from '../errors.js';
import { type HostHop, formatHop } from '../route/hop.js';
import type { Signal } from '../signal.js';
import type { ByteStream } from './byte-stream.js';
import type { Connect, DialledStream } from './connecting.js';
import { earlyEnd, isReset } from './early-reset.js';

/** Head start of one address over the next (RFC 8305 §5, "Connection Attempt Delay"). */
export const ATTEMPT_DELAY_MS = 250;

export interface AttemptOptions {
  /** The hop in error messages, such as `hop 1 (h1:12000)`. */
  readonly label: string;
  /** For everything together: look-up and all addresses, in ms. */
  readonly timeoutMs: number;
  /** Ends the attempt; its reason is thrown. */
  readonly signal: Signal;
}

/** The first address to connect wins, the others are closed; the first error counts if none does. */
export class ConnectRace {
  readonly #hop: HostHop;
  readonly #options: AttemptOptions;
  readonly #connect: Connect;
  readonly #resolve: (winner: DialledStream) => void;
  readonly #reject: (error: unknown) => void;
  #addresses: readonly string[] = [];
  /** Addresses of the hop, those that are not dialled included. */
  #known = 0;
  #tried = 0;
  /** With what takes their listener away: the winner lives long, and would keep all of this. */
  readonly #attempts = new Map<DialledStream, () => void>();
  #firstError: Error | undefined;
  #next: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #isSettled = false;

  constructor(
    hop: HostHop,
    options: AttemptOptions,
    connect: Connect,
    resolve: (winner: DialledStream) => void,
    reject: (error: unknown) => void,
  ) {
    this.#hop = hop;
    this.#options = options;
    this.#connect = connect;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** @param leftMs for all addresses together */
  start(addresses: readonly string[], known: number, leftMs: number): void {
    const { signal } = this.#options;
    this.#addresses = addresses;
    this.#known = known;
    if (addresses.length === 0) return this.#failed(new Error('no address'));
    if (signal.aborted) return this.#aborted();
    this.#deadline = setTimeout(this.#late, Math.min(leftMs, MAX_TIMER_MS));
    signal.addEventListener('abort', this.#aborted, { once: true });
    this.#startNext();
  }

  #startNext(): void {
    clearTimeout(this.#next);
    const address = this.#addresses[this.#tried];
    if (address === undefined) return;
    this.#tried += 1;
    const attempt = this.#connect(address, this.#hop.port, this.#connected);
    const forget = attempt.onClose(() => this.#closed(attempt));
    this.#attempts.set(attempt, forget);
    if (this.#tried < this.#addresses.length)
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
    if (this.#tried < this.#addresses.length) return this.#startNext();
    if (this.#attempts.size === 0) this.#failed(this.#firstError ?? new Error('no address'));
  }

  /** Said only if addresses were left out: an error is then not about all of them. */
  get #addressesTried(): string {
    return this.#tried < this.#known ? `; ${this.#tried} of ${this.#known} addresses tried` : '';
  }

  readonly #aborted = (): void => this.#fail(this.#options.signal.reason);

  readonly #late = (): void =>
    this.#fail(dialledTooLong(this.#hop, this.#options, 'did not answer', this.#addressesTried));

  #failed(error: Error): void {
    this.#fail(dialError(error, this.#hop, this.#options.label, this.#addressesTried));
  }

  #fail(error: unknown): void {
    this.#settle(undefined);
    this.#reject(error);
  }

  #settle(winner: DialledStream | undefined): void {
    this.#isSettled = true;
    clearTimeout(this.#next);
    clearTimeout(this.#deadline);
    this.#options.signal.removeEventListener('abort', this.#aborted);
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

/** @param stage what did not happen in time */
export function dialledTooLong(
  hop: HostHop,
  { label, timeoutMs }: AttemptOptions,
  stage: string,
  addressesTried = '',
): ViaductError {
  const message = `${label} ${stage} within ${timeoutMs / 1000} s${addressesTried}`;
  return new ViaductError('CONNECT_TIMEOUT', message, { hopAddress: formatHop(hop) });
}

/** @param cause of the system, or another that has no code */
export function dialError(cause: unknown, hop: HostHop, label: string, tried = ''): ViaductError {
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
