import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorCode, ViaductError } from '../../errors.js';
import { CONNECT_MS, SILENCE_MS } from '../../defaults.js';
import { HostTrust } from '../../identity/host-trust.js';
import type { Location } from '../../route/location.js';
import { type Encryption, forProbes } from '../http/encryption.js';
import type { RequestOptions } from '../http/request.js';
import { type TracedHop, failureIn, traceRoute } from '../trace.js';
import type { GatewayEvent, GatewayOptions } from './options.js';

/** Between two probes of a route that is broken: the first pause, and the longest. */
const PROBE_FIRST_MS = 500;
const PROBE_LAST_MS = 5000;
/** A hop that takes longer to answer a probe does not answer. */
const PROBE_ANSWER_MS = 5000;

/** Failures of a request, of a file, or of a hop that is busy: the route works. */
const NOT_OF_THE_ROUTE: ReadonlySet<ErrorCode> = new Set([
  'NOT_FOUND',
  'FORBIDDEN',
  'ACCESS_DENIED',
  'BAD_REQUEST',
  'METHOD_NOT_ALLOWED',
  'PRECONDITION_FAILED',
  'RANGE_NOT_SATISFIABLE',
  'URI_TOO_LONG',
  'HEAD_TOO_LARGE',
  'CHANGED',
  'DIGEST_MISMATCH',
  'NO_DIGEST',
  'UNVERIFIED',
  'HTTP_ERROR',
  'READ_FAILED',
  'UNAVAILABLE',
  'CLIENT_GONE',
  'ABORTED',
  'INTERNAL',
]);

/** Its probes use connections of their own. */
export type WatchOptions = GatewayOptions & Pick<RequestOptions, 'sessions'>;

/** Whether the route works: learned from requests, and while it is broken from probes of all hops. */
export class RouteWatch {
  /** What the last trace found; undefined before the first. */
  hops: readonly TracedHop[] | undefined;
  /** Why the route does not work; undefined if it does. */
  failure: ViaductError | undefined;
  readonly #location: Location;
  readonly #options: WatchOptions;
  readonly #signal: AbortSignal;
  readonly #emit: (event: GatewayEvent) => void;
  /** The message of the `broken` event that was emitted last, until the route works. */
  #reported: string | undefined;
  #onRecovery: (() => void)[] = [];
  #trace: Promise<void> | undefined;
  #isProbing = false;

  /** @param signal ends all probes */
  constructor(
    location: Location,
    options: WatchOptions,
    signal: AbortSignal,
    emit: (event: GatewayEvent) => void,
  ) {
    this.#location = location;
    this.#options = options;
    this.#signal = signal;
    this.#emit = emit;
  }

  /** A request has failed. If the route is to blame, it is probed until it works. */
  failed(error: ViaductError): void {
    if (NOT_OF_THE_ROUTE.has(error.code)) return;
    // A NAT that has forgotten one connection has forgotten the idle ones too: each would cost a request its time limit.
    this.#options.sessions?.drop();
    if (this.failure !== undefined) return;
    this.failure = error;
    if (!this.#isProbing) void this.#probe();
  }

  /** A request was answered. */
  worked(): void {
    this.failure = undefined;
    if (this.#reported === undefined) return;
    this.#reported = undefined;
    for (const recovered of this.#onRecovery.splice(0)) recovered();
    this.#emit({ type: 'working' });
  }

  /**
   * Resolves when a route works again that probes have found broken; where all hops answer, a transfer that breaks has no
   * reason to go on sooner. Never rejects.
   */
  recovery(): Promise<void> {
    return new Promise((resolve) => this.#onRecovery.push(resolve));
  }

  /** Asks all hops now; those who call meanwhile share the answer. Never rejects. */
  refresh(): Promise<void> {
    this.#trace ??= this.#ask().finally(() => (this.#trace = undefined));
    return this.#trace;
  }

  async #ask(): Promise<void> {
    const { route, scheme } = this.#location;
    const { timeoutMs = SILENCE_MS, connectTimeoutMs = CONNECT_MS, maxHops, proxy } = this.#options;
    try {
      const hops = await traceRoute(route, {
        ...forProbes(this.#location, this.#options),
        ...this.#encryption(),
        scheme,
        timeoutMs: Math.min(timeoutMs, PROBE_ANSWER_MS),
        connectTimeoutMs: Math.min(connectTimeoutMs, PROBE_ANSWER_MS),
        maxHops,
        proxy,
        signal: this.#signal,
      });
      this.hops = hops;
      this.#found(failureIn(hops));
    } catch {
      // The end, or a failure of this machine, such as of known_hosts, which says nothing of the route.
    }
  }

  /** All hops were probed. */
  #found(failure: ViaductError | undefined): void {
    if (failure === undefined || NOT_OF_THE_ROUTE.has(failure.code)) return this.worked();
    this.failed(failure);
    this.failure = failure;
    if (this.#reported === failure.message) return;
    this.#reported = failure.message;
    this.#emit({ type: 'broken', error: failure });
  }

  /** The key of the last hop decides; those of the relays are only shown. */
  #encryption(): Pick<GatewayOptions, 'encryption'> {
    const probes = forProbes(this.#location, this.#options).encryption;
    if (probes === undefined) return {};
    const { length } = this.#location.route;
    const { checkRelayKey = knownRelay() } = this.#options;
    const checkKey: Encryption['checkKey'] = async (route, pin) => {
      if (route.length === length) return probes.checkKey(route, pin);
      await checkRelayKey(route, pin).catch((cause: unknown) => {
        throw new ViaductError('UNKNOWN_HOST_KEY', 'the key of the relay is not known', { cause });
      });
    };
    return { encryption: { ...probes, checkKey } };
  }

  /** Asks the hops until the route works. */
  async #probe(): Promise<void> {
    this.#isProbing = true;
    let pauseMs = PROBE_FIRST_MS;
    await this.refresh();
    while (this.failure !== undefined && !this.#signal.aborted) {
      await delay(pauseMs, undefined, { signal: this.#signal, ref: false }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, PROBE_LAST_MS);
      await this.refresh();
    }
    this.#isProbing = false;
  }
}

function knownRelay(): Encryption['checkKey'] {
  const trust = new HostTrust({});
  return (route, pin) => trust.check(route, pin);
}
