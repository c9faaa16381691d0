import { type Route, formatHop } from '../../route/hop.js';
import type { Scheme } from '../../route/location.js';
import type { ByteStream, Reading } from '../../tcp/byte-stream.js';

/** A connection in TLS to the last hop of a route, for one request after the other. */
export interface Session {
  readonly stream: ByteStream;
  /** Of whom the keys were checked. */
  readonly route: Route;
  readonly scheme: Scheme;
}

/** For FIN to be queued. */
const FINISH_MS = 500;

interface Idle {
  readonly session: Session;
  readonly reading: Reading;
}

/** Connections that wait for a further request. Whatever comes on one of them ends it: nobody has asked for it. */
export class Sessions {
  readonly #idle = new Map<string, Idle[]>();
  readonly #users: (() => void)[] = [];
  #isClosed = false;

  /** The one that was used last, if there is any. */
  take(route: Route, scheme: Scheme): Session | undefined {
    const idle = this.#idle.get(keyOf(route, scheme))?.pop();
    idle?.reading.detach();
    return idle?.session;
  }

  give(session: Session): void {
    const { stream, route, scheme } = session;
    if (this.#isClosed || stream.closed || stream.ended) return stream.close();
    const key = keyOf(route, scheme);
    const drop = (): void => {
      reading.detach();
      this.#idle.set(key, this.#idle.get(key)?.filter((other) => other.reading !== reading) ?? []);
      stream.reset();
    };
    const reading = stream.attach({
      take: () => {
        drop();
        return false;
      },
      end: drop,
    });
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    idle.push({ session, reading });
    reading.resume();
  }

  /** Ends those that are idle, as they may be dead: the route has failed. */
  drop(): void {
    for (const { session, reading } of [...this.#idle.values()].flat()) {
      reading.detach();
      session.stream.reset();
    }
    this.#idle.clear();
  }

  /** Called before they are closed: whoever has one is to give it back. */
  beforeClose(giveBack: () => void): void {
    this.#users.push(giveBack);
  }

  /** Ends them all, so that no process that ends afterwards resets them. */
  async close(): Promise<void> {
    for (const giveBack of this.#users.splice(0)) giveBack();
    this.#isClosed = true;
    const idle = [...this.#idle.values()].flat();
    this.#idle.clear();
    await Promise.all(idle.map(({ session }) => finish(session.stream)));
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

function keyOf(route: Route, scheme: Scheme): string {
  return `${scheme} ${route.map(formatHop).join(' ')}`;
}
