import type { Signal } from '../signal.js';
import { isIP } from 'node:net';
import { ViaductError, asViaductError } from '../errors.js';
import { MAX_TIMER_MS } from '../defaults.js';
import { type HostHop, formatHop } from '../route/hop.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import { ADDRESSES_DIALLED, type DialOptions, type Dialler, TcpDialler, interleave } from '../tcp/dial.js';
import { addressesOf } from '../tcp/look-up.js';
import { Resolver } from '../tcp/resolver.js';
import { type ProxyConfig, formatProxy } from './config.js';
import { openWithConnect } from './connect.js';
import { withinLimit } from './limit.js';
import { type Names, ProxyLink, proxyFault } from './link.js';
import { isDirect } from './no-proxy.js';
import { openWithSocks5 } from './socks5.js';

const CHECK_PROXY = 'check --proxy, HTTPS_PROXY and ALL_PROXY; --proxy none connects without a proxy';

/** One connection to the proxy, for one target. */
interface Attempt {
  readonly names: Names;
  readonly target: HostHop;
  /** In ms. */
  readonly limitMs: number;
  readonly options: DialOptions;
}

/**
 * Dials hops over a proxy, and those of `noProxy` without it. The stream that comes out leads to the hop: nothing was read
 * from it or written to it, and it has no reader.
 *
 * The proxy looks up names, with these exceptions: with `socks5` they are looked up here, and so they are where `permit` has
 * to know their addresses. The proxy is then asked for one of the addresses that were checked, never for the name, which
 * might resolve to others there. Several addresses are tried one after the other, each with an equal share of the time left.
 */
export class ProxyDialler implements Dialler {
  readonly #proxy: ProxyConfig;
  readonly #name: string;
  readonly #resolver: Resolver;
  readonly #tcp: TcpDialler;

  /** @param name the proxy in error messages @default `the proxy ` and its URL without user and password */
  constructor(proxy: ProxyConfig, name = `the proxy ${formatProxy(proxy)}`, resolver = new Resolver()) {
    this.#proxy = proxy;
    this.#name = name;
    this.#resolver = resolver;
    this.#tcp = new TcpDialler(resolver);
  }

  /**
   * @throws ViaductError PROXY_ERROR; CONNECT_TIMEOUT if the proxy is silent; as {@link Dialler.dial} if the proxy reports
   * it or the name is looked up here; the signal's reason
   */
  async dial(hop: HostHop, options: DialOptions): Promise<ByteStream> {
    if (isDirect(hop.host, this.#proxy.noProxy)) return this.#tcp.dial(hop, options);
    const names = { label: options.label, hop, proxy: this.#name };
    const startedAt = performance.now();
    const targets = await this.#targetsOf(hop, options);
    let firstError: ViaductError | undefined;
    for (const [index, target] of targets.entries()) {
      const leftMs = options.timeoutMs - (performance.now() - startedAt);
      const limitMs = Math.max(1, leftMs / (targets.length - index));
      const stream = await this.#reach({ names, target, limitMs, options });
      if (!(stream instanceof ViaductError)) return stream;
      firstError ??= stream;
    }
    throw firstError ?? proxyFault(names, 'was not asked: the hop has no other address');
  }

  /** What the proxy is asked for: the hop itself, or its addresses. */
  async #targetsOf(hop: HostHop, options: DialOptions): Promise<readonly HostHop[]> {
    const { label, timeoutMs, permit, except } = options;
    // A zone of an IPv6 address is about this host.
    const targetAt = (host: string): HostHop => ({ host: host.replace(/%.*$/, ''), port: hop.port });
    const isLookedUpHere = permit !== undefined || this.#proxy.scheme === 'socks5';
    if (isIP(hop.host) === 0 && !isLookedUpHere) return hop.host === except ? [] : [hop];
    const late = (): Error =>
      new ViaductError('CONNECT_TIMEOUT', `${label} was not resolved within ${timeoutMs / 1000} s`, {
        hopAddress: formatHop(hop),
      });
    const addresses = await withinLimit(timeoutMs, options.signal, late, (signal) =>
      addressesOf(hop, this.#resolver, { ...options, signal }),
    );
    permit?.(hop, addresses);
    const others = addresses.filter((address) => address !== except);
    return interleave(others).slice(0, ADDRESSES_DIALLED).map(targetAt);
  }

  /** @returns the error if the proxy works but cannot reach this target in time, so that another may do better */
  async #reach({ names, target, limitMs, options }: Attempt): Promise<ByteStream | ViaductError> {
    let stage = 'did not answer';
    let late: ViaductError | undefined;
    const lapsed = (): ViaductError => {
      const details = { hopAddress: formatHop(names.hop), hint: CHECK_PROXY };
      const message = `${names.label}: ${names.proxy} ${stage} within ${options.timeoutMs / 1000} s`;
      return (late = new ViaductError('CONNECT_TIMEOUT', message, details));
    };
    try {
      return await withinLimit(limitMs, options.signal, lapsed, async (signal) => {
        const stream = await this.#dialProxy(names, options, signal);
        stage = 'accepted the connection, but did not connect to the hop';
        return this.#open(stream, target, names, signal);
      });
    } catch (error) {
      if (error === late && late !== undefined) return late;
      throw error;
    }
  }

  async #dialProxy(names: Names, { client = '' }: DialOptions, signal: Signal): Promise<ByteStream> {
    const label = `${names.label}: ${names.proxy}`;
    try {
      return await this.#tcp.dial(this.#proxy.hop, { label, timeoutMs: MAX_TIMER_MS, signal, client });
    } catch (cause) {
      if (signal.aborted) throw cause;
      const { code, message } = asViaductError(cause);
      const details = { hopAddress: formatHop(names.hop), hint: CHECK_PROXY, cause };
      throw new ViaductError(code === 'CONNECT_TIMEOUT' ? code : 'PROXY_ERROR', message, details);
    }
  }

  async #open(
    stream: ByteStream,
    target: HostHop,
    names: Names,
    signal: Signal,
  ): Promise<ByteStream | ViaductError> {
    const { scheme, login } = this.#proxy;
    const open = scheme === 'http' ? openWithConnect : openWithSocks5;
    try {
      const error = await open(new ProxyLink(stream, names, signal), target, login);
      if (error === undefined) {
        stream.leadTo(target);
        return stream;
      }
      stream.reset();
      return error;
    } catch (error) {
      stream.reset();
      throw error;
    }
  }
}
