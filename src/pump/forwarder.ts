import type { ByteStream, Reading } from '../tcp/byte-stream.js';
import type { FindEnd } from './pump.js';

/** How a direction leaves Node. */
export interface Departure {
  /**
   * Called after each chunk from the source. True stops the direction, and {@link depart} follows when the sink's kernel
   * has everything. Not called for bytes that were read before: the other direction may be about to start.
   * @param taken the sink's kernel took the chunk, so that its memory is free
   */
  readonly isDue: (reading: Reading, taken: boolean) => boolean;
  readonly depart: () => void;
}

/** What a direction reports to its flow. */
export interface ForwarderEvents {
  /** FIN is queued at the sink. */
  readonly ended: () => void;
  /** Instead: the source's FIN came before its length. @default ended */
  readonly short?: () => void;
  /** Instead: the source sent what cannot be of the reply. */
  readonly malformed?: (error: unknown) => void;
}

/** What of the source is passed on, and how the sink ends. */
export interface Extent {
  /** Bytes, and no more. @default until FIN */
  readonly length?: number | undefined;
  /** Finds the end instead. */
  readonly findEnd?: FindEnd | undefined;
  /** The sink gets no FIN. @default false */
  readonly staysOpen?: boolean;
}

/** One direction of a flow: what `source` sends goes to `sink` as it comes, FIN after the last byte. */
export class Forwarder {
  /** Bytes that the sink's kernel has taken. */
  sent = 0;
  /** The source's FIN, or the last byte that is wanted of it, has arrived. */
  sourceEnded = false;
  /** FIN is queued at the sink. */
  ended = false;
  readonly #source: ByteStream;
  readonly #sink: ByteStream;
  readonly #events: ForwarderEvents;
  /** Bytes that are passed on. */
  #length: number;
  readonly #findEnd: FindEnd | undefined;
  readonly #staysOpen: boolean;
  /** The source has sent more than is passed on. */
  hasExcess = false;
  readonly #departure: Departure | undefined;
  #reading: Reading | undefined;
  /** It departs as soon as the sink has taken what it was given. */
  #departing = false;
  /** Size of the chunk that the sink has not taken whole; 0 while we are willing to read. */
  #pending = 0;

  constructor(
    source: ByteStream,
    sink: ByteStream,
    events: ForwarderEvents,
    { length = Infinity, findEnd, staysOpen = false }: Extent = {},
    departure?: Departure,
  ) {
    this.#source = source;
    this.#sink = sink;
    this.#events = events;
    this.#length = length;
    this.#findEnd = findEnd;
    this.#staysOpen = staysOpen;
    this.#departure = departure;
  }

  /** Begins, with bytes that were read before. */
  start(head: Buffer): void {
    this.#reading = this.#source.attach({ take: this.#takeNext, end: this.#sourceEnds, keepsChunks: true });
    if (this.#take(head)) this.#reading.resume();
  }

  /** Stops reading for good. */
  stop(): void {
    this.#reading?.detach();
  }

  /** Bytes that are still wanted. */
  get wanted(): number {
    return this.sourceEnded ? 0 : this.#length - this.sent;
  }

  /** Every byte that was read is with the sink's kernel, and so is FIN, if it is its turn. */
  get idle(): boolean {
    return this.#pending === 0 && this.sourceEnded === this.ended;
  }

  /** Counts bytes that were moved outside of Node. */
  moved(count: number): void {
    this.sent += count;
  }

  /** Continues after a departure. @param rest bytes that were read in the meantime and not written */
  continue(rest?: Uint8Array): void {
    this.#departing = false;
    if (this.#pending > 0) return; // It continues when that is with the sink's kernel.
    const first = rest ? Buffer.from(rest.buffer, rest.byteOffset, rest.length) : Buffer.alloc(0);
    if (this.sourceEnded) return;
    if (this.#take(first)) this.#reading?.resume();
    else this.#reading?.pause();
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

  /** Passes a chunk on, up to the length that is known; then FIN, whatever else the source sends. */
  readonly #take = (chunk: Buffer): boolean => {
    if (this.sourceEnded) return false;
    const left = this.#length - this.sent;
    if (chunk.length < left) return chunk.length === 0 || this.#write(chunk);
    this.hasExcess = chunk.length > left;
    if (left > 0) this.#write(chunk.subarray(0, left));
    this.#finish();
    return false;
  };

  readonly #takeNext = (chunk: Buffer): boolean => {
    if (this.#findEnd !== undefined && !this.#look(this.#findEnd, chunk)) return false;
    const taken = this.#take(chunk);
    const isDue = this.#reading && this.#departure?.isDue(this.#reading, taken);
    this.#departing = !this.sourceEnded && isDue === true;
    if (!this.#departing) return taken;
    // Node stops reading when this chunk's callback has returned.
    if (taken && this.#departure) queueMicrotask(this.#departure.depart);
    return false;
  };

  /** @returns false if the flow has failed */
  #look(findEnd: FindEnd, chunk: Buffer): boolean {
    try {
      const own = this.sourceEnded ? undefined : findEnd(chunk);
      if (own !== undefined) this.#length = this.sent + own;
      return true;
    } catch (error) {
      this.#events.malformed?.(error);
      return false;
    }
  }

  readonly #sourceEnds = (): void => {
    if (this.sourceEnded) return;
    if (this.#length === Infinity && this.#findEnd === undefined) this.#finish();
    else (this.#events.short ?? this.#events.ended)();
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
    if (this.sourceEnded && this.#staysOpen) this.#end();
    else if (this.#departing) this.#departure?.depart();
    else if (!this.sourceEnded) this.#reading?.resume();
  };

  #finish(): void {
    this.sourceEnded = true;
    if (!this.#staysOpen) this.#sink.finish(() => this.#end());
    else if (this.#pending === 0) this.#end();
  }

  #end(): void {
    this.ended = true;
    this.#events.ended();
  }
}
