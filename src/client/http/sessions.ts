import { type Route, formatHop } from '../../route/hop.js';
import type { ByteStream } from '../../tcp/byte-stream.js';

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

  /** The one that was used last, if there is any. */
  take(route: Route): Session | undefined {
    const idle = this.#idle.get(keyOf(route)) ?? [];
    for (let last = idle.pop(); last !== undefined; last = idle.pop()) {
      if (!last.stream.closed && !last.stream.ended && performance.now() - last.since < IDLE_MS)
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

  /** Ends them all. */
  close(): void {
    for (const { stream } of [...this.#idle.values()].flat()) stream.finish(() => stream.close());
    this.#idle.clear();
  }
}

function keyOf(route: Route): string {
  return route.map(formatHop).join(' ');
}
