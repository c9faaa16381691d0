import { HTTP_HEAD_PER_HOP_MS, SILENCE_MS } from '../../defaults.js';
import { pinOfCertificate } from '../../identity/pin.js';
import { type Hop, type Route, formatHop, hopError } from '../../route/hop.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import { connectTls } from '../../tls/connect.js';
import { type ConnectOptions, connectTo, splitRoute } from '../first-hop.js';
import { openTunnel } from './tunnel.js';

/** How a client's connections are encrypted, from here to the end of the route. */
export interface Encryption {
  /** Resolves if the key of a route's last hop is trusted. @throws ViaductError if not */
  readonly checkKey: (route: Route, pin: string) => Promise<void>;
  /** What to prove if the origin asks who reads, as PEM. @default nothing */
  readonly identity?: { readonly key: string; readonly cert: string } | undefined;
  /** Connections that wait for a further request. @default none is kept */
  readonly sessions?: Sessions | undefined;
}

/** A connection in TLS to the last hop of a route, for one request after the other. */
export interface Session {
  readonly stream: ByteStream;
  readonly route: Route;
  /** Bytes received when it was taken. */
  readonly receivedBefore: number;
}

/** A node keeps a connection for 5 s; the last of them are for the way. */
const IDLE_MS = 4000;

interface Idle {
  readonly stream: ByteStream;
  readonly since: number;
}

/** Connections in TLS that wait for a further request, by route. */
export class Sessions {
  readonly #idle = new Map<string, Idle[]>();

  /** One that was used last, if there is any. */
  take(route: Route): Session | undefined {
    const idle = this.#idle.get(keyOf(route)) ?? [];
    for (let last = idle.pop(); last !== undefined; last = idle.pop()) {
      if (!last.stream.closed && performance.now() - last.since < IDLE_MS)
        return { stream: last.stream, route, receivedBefore: last.stream.received };
      last.stream.close();
    }
    return undefined;
  }

  give({ stream, route }: Session): void {
    const idle = this.#idle.get(keyOf(route)) ?? [];
    this.#idle.set(keyOf(route), idle);
    idle.push({ stream, since: performance.now() });
  }

  /** Closes them all. */
  close(): void {
    for (const { stream } of [...this.#idle.values()].flat()) stream.finish(() => stream.close());
    this.#idle.clear();
  }
}

function keyOf(route: Route): string {
  return route.map(formatHop).join(' ');
}

export interface SessionOptions extends ConnectOptions {
  readonly timeoutMs?: number | undefined;
  readonly onConnect?: (() => void) | undefined;
  readonly receiveBuffer?: number | undefined;
}

/**
 * Connects to the last hop of a route in TLS, through a tunnel if there are hops before it. When it resolves, the key is
 * trusted, and nothing but the handshake was sent.
 * @throws ViaductError as {@link connectTo} and {@link openTunnel}; TLS_FAILED; what `checkKey` throws
 */
export async function openSession(
  route: Route,
  encryption: Encryption,
  options: SessionOptions,
): Promise<Session> {
  const { timeoutMs = SILENCE_MS, signal = new AbortController().signal } = options;
  const { first, left } = splitRoute(route, options);
  const last = left.at(-1) ?? first;
  const tunnel = left.length > 0 ? await openTunnel(route, { ...options, signal }) : await direct(first, options);
  const { stream, peerCertificate } = await connectTls(tunnel.stream, tunnel.begin, {
    identity: encryption.identity,
    limitMs: route.length * HTTP_HEAD_PER_HOP_MS + timeoutMs,
    signal,
    failed: (why, cause) => tlsError(route.length, last, why, cause),
  });
  try {
    if (peerCertificate === undefined) throw tlsError(route.length, last, 'it sent no certificate');
    await encryption.checkKey(route, pinOfCertificate(peerCertificate));
    if (stream.closed) throw tlsError(route.length, last, 'the connection broke', stream.error);
  } catch (error) {
    stream.reset();
    throw error;
  }
  return { stream, route, receivedBefore: 0 };
}

async function direct(hop: Hop, options: SessionOptions): Promise<{ stream: ByteStream; begin: Buffer }> {
  const stream = await connectTo(hop, options);
  options.onConnect?.();
  if (options.receiveBuffer !== undefined) stream.limitReceiveBuffer(options.receiveBuffer);
  return { stream, begin: Buffer.alloc(0) };
}

function tlsError(number: number, hop: Hop, why: string, cause?: unknown) {
  const what = `cannot be reached in TLS: ${why}`;
  return hopError('TLS_FAILED', number, hop, what, cause);
}
