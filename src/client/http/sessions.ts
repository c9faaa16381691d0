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

/** For FIN to be queued. */
const FINISH_MS = 500;

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

  /** Ends them all, so that no process that ends afterwards resets them. */
  async close(): Promise<void> {
    const streams = [...this.#idle.values()].flat().map(({ stream }) => stream);
    this.#idle.clear();
    await Promise.all(streams.map(finish));
  }
}

/** Sends FIN. A peer whose window is closed is not waited for. */
function finish(stream: ByteStream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stream.close();
      resolve();
    };
    const timer = setTimeout(done, FINISH_MS);
    stream.onClose(done);
    if (stream.closed) done();
    else stream.finish(done);
  });
}

function keyOf(route: Route): string {
  return route.map(formatHop).join(' ');
}
