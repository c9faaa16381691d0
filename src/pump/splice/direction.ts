import { EAGAIN, EINTR, type SystemCalls } from '../../system/calls.js';
import type { PipePool, PooledPipe } from './pipe-pool.js';

/**
 * One flow moves about so many bytes before the others have their turn: flows that go on side by side leave less in
 * the kernel's queues (measured: 64 flows gain 20 % over turns of 16 MiB).
 */
const TURN_BYTES = 1024 * 1024;

/** Why a direction stopped for now, or for good. */
export type Stop =
  /** The source has nothing; no pipe is held. */
  | 'source'
  /** The sink takes nothing, and the pipe is not empty. */
  | 'sink'
  /** It had its turn. */
  | 'turn'
  /** The source sent FIN, or all that was wanted of it, and the sink's kernel has all of it. */
  | 'ended'
  | 'source failed'
  | 'sink failed'
  | 'no pipe';

/** One direction of a flow: from one socket through a pipe to the other, without a copy. */
export class Direction {
  /** Bytes that the sink has taken. */
  written = 0;
  /** Bytes that the source gave. */
  read = 0;
  /** Of a source or sink that failed, negative. */
  errno = 0;
  stop: Stop = 'source';
  readonly #calls: SystemCalls;
  readonly #pipes: PipePool;
  readonly #source: number;
  readonly #sink: number;
  readonly #length: number;
  #pipe: PooledPipe | undefined;

  /** @param length bytes that are wanted, and no more are read */
  constructor(calls: SystemCalls, pipes: PipePool, source: number, sink: number, length: number) {
    this.#calls = calls;
    this.#pipes = pipes;
    this.#source = source;
    this.#sink = sink;
    this.#length = length;
  }

  /** Bytes in the pipe. */
  get held(): number {
    return this.read - this.written;
  }

  /** Moves what can be moved, for one turn, so that other flows have theirs. */
  run(): Stop {
    this.stop = 'turn';
    for (const enough = this.read + TURN_BYTES; this.stop === 'turn' && this.read < enough;) {
      if (this.held > 0 || this.#fill()) this.#drain();
    }
    return this.stop;
  }

  /** Takes the bytes out of the pipe, to be written elsewhere; undefined if it is empty. */
  takeRest(): Uint8Array | undefined {
    if (this.#pipe === undefined) return undefined;
    const rest = Buffer.allocUnsafeSlow(this.held);
    for (let at = 0; at < rest.length;) {
      const got = this.#calls.read(this.#pipe.readEnd, rest.subarray(at));
      if (got <= 0 && got !== EINTR) throw new Error(`a pipe lost ${rest.length - at} bytes`);
      at += Math.max(got, 0);
    }
    this.#release();
    return rest;
  }

  /** Gives the pipe up, with whatever is in it. */
  abandon(): void {
    if (this.#pipe === undefined) return;
    if (this.held === 0) return this.#release();
    this.#pipes.discard(this.#pipe);
    this.#pipe = undefined;
  }

  /** True if there is something to write now. */
  #fill(): boolean {
    const wanted = this.#length - this.read;
    if (wanted === 0) return this.#halt('ended');
    this.#pipe ??= this.#pipes.take();
    if (this.#pipe === undefined) return this.#halt('no pipe');
    const got = this.#calls.splice(this.#source, this.#pipe.writeEnd, Math.min(wanted, this.#pipe.capacity));
    if (got > 0) {
      this.read += got;
      return true;
    }
    if (got === EINTR) return false;
    this.#release();
    if (got === EAGAIN) return this.#halt('source');
    if (got === 0) return this.#halt('ended');
    this.errno = got;
    return this.#halt('source failed');
  }

  #drain(): void {
    if (this.#pipe === undefined) return;
    const put = this.#calls.splice(this.#pipe.readEnd, this.#sink, this.held);
    if (put > 0) {
      this.written += put;
    } else if (put === EAGAIN) {
      this.#halt('sink');
    } else if (put !== EINTR) {
      this.errno = put;
      this.#halt('sink failed');
    }
  }

  #halt(stop: Stop): false {
    this.stop = stop;
    return false;
  }

  #release(): void {
    if (this.#pipe) this.#pipes.give(this.#pipe);
    this.#pipe = undefined;
  }
}
