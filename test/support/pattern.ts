import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { isDisconnected } from '#src/tcp/handle.js';

/** No power of two, so that a chunk that was lost, doubled or moved differs. */
const PERIOD = 1024 * 1024 + 1;
const once = randomBytes(PERIOD);
const PATTERN = Buffer.concat([once, once]);

/** Bytes `at` to `at + count` of an endless stream; at most 1 MiB at a time, and no copy. */
export function patternAt(at: number, count: number): Buffer {
  return PATTERN.subarray(at % PERIOD, (at % PERIOD) + Math.min(count, PERIOD));
}

/** Sends `count` bytes of the stream from `at` on, with respect to the reader; stops if the socket closes. */
export async function sendPattern(socket: Socket, at: number, count: number, step = 65_536): Promise<void> {
  for (let sent = 0; sent < count && !socket.destroyed;) {
    const chunk = patternAt(at + sent, Math.min(step, count - sent));
    sent += chunk.length;
    if (!socket.write(chunk)) await drained(socket);
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
    if (socket.destroyed) done();
  });
}

/** Reads a socket to its end and compares every byte with the stream from `at` on. */
export class PatternReader {
  count = 0;
  readonly ended: Promise<'end' | 'reset'>;
  #isOver = false;
  readonly #at: number;
  readonly #watchers = new Set<() => void>();

  /** @param slow lets two turns of the event loop pass after each chunk */
  constructor(socket: Socket, at: number, slow = false) {
    this.#at = at;
    this.ended = new Promise((resolve, reject) => {
      socket.on('data', (chunk: Buffer) => {
        try {
          this.#check(chunk);
        } catch (error) {
          reject(error);
          this.#end();
          socket.destroy();
        }
        if (!slow) return;
        socket.pause();
        setImmediate(() => setImmediate(() => socket.resume()));
      });
      const settle = (how: 'end' | 'reset') => (): void => {
        resolve(how);
        this.#end();
      };
      socket.once('end', () => settle(!socket.writableEnded && isDisconnected(socket) ? 'reset' : 'end')());
      socket.once('error', settle('reset'));
      socket.once('close', settle('reset'));
    });
  }

  /** Resolves once so many bytes have come, or the end. */
  async got(count: number): Promise<void> {
    while (this.count < count && !this.#isOver)
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
  }

  #check(chunk: Buffer): void {
    const wanted = patternAt(this.#at + this.count, chunk.length);
    assert.ok(wanted.equals(chunk), `bytes ${this.count} to ${this.count + chunk.length} differ`);
    this.count += chunk.length;
    this.#tell();
  }

  #end(): void {
    this.#isOver = true;
    this.#tell();
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}
