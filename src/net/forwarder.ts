import type { Channel } from './channel.js';

/** One direction of a flow: what `source` sends goes to `sink` as it comes, FIN after the last byte. */
export class Forwarder {
  /** Bytes that the sink's kernel has taken. */
  sent = 0;
  /** The source's FIN has come. */
  sourceEnded = false;
  /** The FIN has been queued at the sink. */
  ended = false;
  readonly #source: Channel;
  readonly #sink: Channel;
  readonly #onEnd: () => void;
  /** Size of the chunk that the sink has not taken whole; 0 while we are willing to read. */
  #pending = 0;

  constructor(source: Channel, sink: Channel, onEnd: () => void) {
    this.#source = source;
    this.#sink = sink;
    this.#onEnd = onEnd;
  }

  /** Begins, with bytes that were read before. */
  start(head: Buffer): void {
    this.#source.onEnd = () => this.#finish();
    this.#source.consumer = this.#write;
    if (head.length === 0 || this.#write(head)) this.#source.resume();
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

  readonly #write = (chunk: Buffer): boolean => {
    if (this.#sink.write(chunk, this.#flushed)) {
      this.sent += chunk.length;
      return true;
    }
    this.#pending = chunk.length;
    return false;
  };

  readonly #flushed = (): void => {
    this.sent += this.#pending;
    this.#pending = 0;
    this.#source.resume();
  };

  #finish(): void {
    this.sourceEnded = true;
    this.#sink.finish(() => {
      this.ended = true;
      this.#onEnd();
    });
  }
}
