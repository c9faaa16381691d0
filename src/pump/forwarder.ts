import type { Channel } from '../tcp/stream.js';

/** How a direction is left to somebody else. */
export interface Leave {
  /**
   * Asked after each chunk from the source. True stops it, and {@link now} follows when all is with the sink's
   * kernel. Not asked of a head or a rest: the other direction may be about to start.
   * @param taken the chunk is, so that its memory is free
   */
  readonly leaves: (taken: boolean) => boolean;
  readonly now: () => void;
}

/** One direction of a flow: what `source` sends goes to `sink` as it comes, FIN after the last byte. */
export class Forwarder {
  /** Bytes that the sink's kernel has taken. */
  sent = 0;
  /** The source's FIN, or the last byte that is wanted of it, has come. */
  sourceEnded = false;
  /** The FIN has been queued at the sink. */
  ended = false;
  readonly #source: Channel;
  readonly #sink: Channel;
  readonly #onEnd: () => void;
  readonly #onShort: () => void;
  readonly #length: number;
  readonly #leave: Leave;
  /** It leaves as soon as the sink has taken what it was given. */
  #leaving = false;
  /** Size of the chunk that the sink has not taken whole; 0 while we are willing to read. */
  #pending = 0;

  /**
   * @param onEnd told when FIN is queued at the sink
   * @param onShort told, instead, if the source's FIN comes before its `length`
   * @param length bytes that are passed on, and no more
   * @param leave how bytes leave for somebody else to move them
   */
  constructor(
    source: Channel,
    sink: Channel,
    onEnd: () => void,
    onShort: () => void = onEnd,
    length = Infinity,
    leave: Leave = { leaves: () => false, now: () => {} },
  ) {
    this.#source = source;
    this.#sink = sink;
    this.#onEnd = onEnd;
    this.#onShort = onShort;
    this.#length = length;
    this.#leave = leave;
  }

  /** Begins, with bytes that were read before. */
  start(head: Buffer): void {
    this.#source.onEnd = this.#sourceEnds;
    this.#source.consumer = this.#takeOrLeave;
    if (this.#take(head)) this.#source.resume();
  }

  /** Bytes that are still wanted. */
  get wanted(): number {
    return this.sourceEnded ? 0 : this.#length - this.sent;
  }

  /** Every byte that was read is with the sink's kernel, and so is FIN, if it is its turn. */
  get idle(): boolean {
    return this.#pending === 0 && this.sourceEnded === this.ended;
  }

  /** Somebody else has moved bytes. */
  moved(count: number): void {
    this.sent += count;
  }

  /** Goes on where somebody else stopped, who has read `rest` and not written it. */
  goOn(rest?: Uint8Array): void {
    this.#leaving = false;
    if (this.#pending > 0) return; // It goes on when that is with the sink's kernel.
    const first = rest ? Buffer.from(rest.buffer, rest.byteOffset, rest.length) : Buffer.alloc(0);
    if (this.sourceEnded) return;
    if (this.#take(first)) this.#source.resume();
    else this.#source.pause();
  }

  /** Progress of the source, or undefined while nothing is wanted of it. */
  get waitingToRead(): number | undefined {
    return this.#pending > 0 || this.sourceEnded ? undefined : this.#source.received;
  }

  /** Progress of the sink, or undefined while it has nothing to take. */
  get waitingToWrite(): number | undefined {
    const idle = this.#pending === 0 && !(this.sourceEnded && !this.ended);
    return idle ? undefined : this.sent + this.#pending - this.#sink.unsent;
  }

  /** Passes a chunk on, up to the length that is known; then FIN, whatever else the source has to say. */
  readonly #take = (chunk: Buffer): boolean => {
    if (this.sourceEnded) return false;
    const left = this.#length - this.sent;
    if (chunk.length < left) return chunk.length === 0 || this.#write(chunk);
    if (left > 0) this.#write(chunk.subarray(0, left));
    this.#finish();
    return false;
  };

  readonly #takeOrLeave = (chunk: Buffer): boolean => {
    const taken = this.#take(chunk);
    this.#leaving = !this.sourceEnded && this.#leave.leaves(taken);
    if (!this.#leaving) return taken;
    // Node stops to read when this chunk's callback has returned.
    if (taken) queueMicrotask(this.#leave.now);
    return false;
  };

  readonly #sourceEnds = (): void => {
    if (this.sourceEnded) return;
    if (this.#length === Infinity) this.#finish();
    else this.#onShort();
  };

  #write(chunk: Buffer): boolean {
    if (this.#sink.write(chunk, this.#flushed)) {
      this.sent += chunk.length;
      return true;
    }
    this.#pending = chunk.length;
    return false;
  }

  readonly #flushed = (): void => {
    this.sent += this.#pending;
    this.#pending = 0;
    if (this.#leaving) this.#leave.now();
    else if (!this.sourceEnded) this.#source.resume();
  };

  #finish(): void {
    this.sourceEnded = true;
    this.#sink.finish(() => {
      this.ended = true;
      this.#onEnd();
    });
  }
}
