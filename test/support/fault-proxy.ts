import { type Socket, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isDisconnected } from '#src/tcp/handle.js';
import type { HostHop } from 'viaduct';
import { rawServer } from './raw.js';
import type { Cleanup } from './scope.js';

/** What is done to a byte stream, from its byte number `at` on. */
export type Fault = {
  /** `down`: what the target sends; `up`: what is sent to it. @default down */
  readonly direction?: 'down' | 'up';
  /** Bytes that pass unharmed. @default 0 */
  readonly at?: number;
} & (
  | {
      /**
       * `stall`: nothing more passes, nothing ends. `reset`: RST to both sides. `cut`: FIN, as if all was
       * sent. `corrupt`: one byte has all bits inverted. `split`: one pause, so that the reader gets two parts.
       */
      readonly kind: 'stall' | 'reset' | 'cut' | 'corrupt' | 'split';
    }
  /** `slice`: in segments of that size, each read alone. `merge`: held back until so many bytes or FIN have come. */
  | { readonly kind: 'slice' | 'merge'; readonly size: number }
  | { readonly kind: 'slow'; readonly size: number; readonly everyMs: number }
);

export interface FaultProxy {
  /** Where it listens. */
  readonly hop: HostHop;
  /** Resolves when the fault has been done for the first time. */
  readonly struck: Promise<void>;
  /** Kinds of the faults that have been done. */
  readonly kinds: ReadonlySet<Fault['kind']>;
}

/**
 * A TCP proxy in front of `target` that does one thing wrong; all else, FIN and RST included, it passes on.
 * @param faults the fault, or that of each connection, counted from 0
 */
export async function faultProxy(
  t: Cleanup,
  target: HostHop,
  faults: Fault | ((connection: number) => Fault),
): Promise<FaultProxy> {
  let connections = 0;
  let strike: () => void;
  const struck = new Promise<void>((resolve) => (strike = resolve));
  const kinds = new Set<Fault['kind']>();
  const open = new Set<Socket>();
  t.after(() => open.forEach((socket) => socket.destroy()));
  const { hop } = await rawServer(t, (client) => {
    const fault = typeof faults === 'function' ? faults(connections++) : faults;
    const strikes = (): void => {
      kinds.add(fault.kind);
      strike();
    };
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true });
    open.add(upstream);
    upstream.once('close', () => open.delete(upstream));
    upstream.on('error', () => {});
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.once('close', () => {
        if (!other.destroyed && !(one.readableEnded && one.writableFinished)) other.resetAndDestroy();
      });
    }
    const down = fault.direction !== 'up';
    new Lane(upstream, client, down ? fault : undefined, strikes).start();
    new Lane(client, upstream, down ? undefined : fault, strikes).start();
  });
  return { hop, struck, kinds };
}

/** How much a slow one catches up at most. */
const LATE_MS = 200;

/** One direction of a connection. */
class Lane {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #fault: Fault | undefined;
  readonly #strike: () => void;
  /** Bytes of the source so far. */
  #seen = 0;
  #held: Buffer = Buffer.alloc(0);
  /** Everything further is dropped: the sink has had its FIN. */
  #cut = false;
  /** When the next piece of a slow one is to go. */
  #due: number | undefined;

  constructor(source: Socket, sink: Socket, fault: Fault | undefined, strike: () => void) {
    this.#source = source;
    this.#sink = sink;
    this.#fault = fault;
    this.#strike = strike;
  }

  start(): void {
    const source = this.#source;
    // A socket's end may come while it is paused, so whatever comes waits for its turn.
    let taken = Promise.resolve(true);
    source.on('data', (chunk: Buffer) => {
      source.pause();
      taken = taken.then((more) => more && this.#take(chunk));
      void taken.then((more) => more && source.resume());
    });
    source.once('end', () => {
      // libuv can show a reset as an end (src/tcp/stream.ts).
      const reset = !source.writableEnded && isDisconnected(source);
      void taken.then((more) => (reset ? void source.destroy() : more && this.#finish()));
    });
  }

  #finish(): void {
    if (this.#held.length > 0) this.#sink.write(this.#held);
    if (!this.#cut) this.#sink.end();
  }

  /** True if more is wanted. */
  async #take(chunk: Buffer): Promise<boolean> {
    const at = this.#fault?.at ?? 0;
    const healthy = this.#fault === undefined ? chunk.length : Math.max(0, at - this.#seen);
    const [before, after] = [chunk.subarray(0, healthy), chunk.subarray(healthy)];
    const first = this.#seen <= at && this.#seen + chunk.length > at;
    this.#seen += chunk.length;
    if (this.#cut) return true;
    await this.#write(before);
    if (this.#fault === undefined || after.length === 0) return true;
    const more = await this.#harm(this.#fault, after, first);
    this.#strike();
    return more;
  }

  async #harm(fault: Fault, bytes: Buffer, first: boolean): Promise<boolean> {
    switch (fault.kind) {
      case 'stall':
        return false;
      case 'reset':
        this.#sink.resetAndDestroy();
        this.#source.resetAndDestroy();
        return false;
      case 'cut':
        this.#cut = true;
        this.#sink.end();
        return true;
      case 'corrupt': {
        const copy = Buffer.from(bytes);
        if (first) copy.writeUInt8((copy[0] ?? 0) ^ 0xff, 0);
        await this.#write(copy);
        return true;
      }
      case 'split':
        if (first) await turns();
        await this.#write(bytes);
        return true;
      case 'merge':
        this.#held = Buffer.concat([this.#held, bytes]);
        if (this.#held.length < fault.size) return true;
        await this.#write(this.#held);
        this.#held = Buffer.alloc(0);
        return true;
      case 'slice':
      case 'slow':
        for (let from = 0; from < bytes.length && !this.#sink.destroyed; from += fault.size) {
          await this.#write(bytes.subarray(from, from + fault.size));
          await (fault.kind === 'slow' ? this.#pause(fault.everyMs) : turns());
        }
        return true;
    }
  }

  /** Timers that are late, on a busy machine, do not make it slower: the next ones are shorter. */
  async #pause(everyMs: number): Promise<void> {
    const now = performance.now();
    this.#due = Math.max(this.#due ?? now, now - LATE_MS) + everyMs;
    await delay(Math.max(0, this.#due - now));
  }

  #write(bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || this.#sink.destroyed) return Promise.resolve();
    return new Promise((resolve) => this.#sink.write(bytes, () => resolve()));
  }
}

/** Lets every socket of this process be read: one whole round of the event loop, wherever this one stands. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise(setImmediate);
}
