import { type ErrorCode, type ViaductError, withContext } from '../../errors.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import { type Hop, formatHop, hopError, hopLabel } from '../../route/hop.js';
import { ChunkDecoder } from '../../wire/http/chunked.js';
import { type Field, type ReplyHead, fieldOf } from '../../wire/http/head.js';
import type { Framing } from '../../wire/http/reply.js';
import type { Sink } from '../../files/destination.js';
import { receive } from '../../tcp/receive.js';

/** The hop that a client talks to: the first one, or in a tunnel the last. */
export interface Peer {
  readonly stream: ByteStream;
  readonly hop: Hop;
  /** 1 for the first. */
  readonly number: number;
  /** Silence that is an error, in ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A reply whose head has come. Its body is read once, or the reply is closed. */
export class Reply implements ReplyHead {
  readonly status: number;
  readonly reason: string;
  readonly minor: number;
  readonly fields: readonly Field[];
  /** Bytes of the body, or undefined if only its last chunk or its end will tell. */
  readonly length: number | undefined;
  /** Bytes of the body that the sink has taken so far. */
  received = 0;
  #isEnded = false;
  readonly #peer: Peer;
  readonly #framing: Framing;
  readonly #rest: Buffer;
  readonly #keep: (() => void) | undefined;

  /**
   * @param rest what came with the head
   * @param keep keeps the connection for a further request. @default it is closed
   */
  constructor(peer: Peer, head: ReplyHead, framing: Framing, rest: Buffer, keep?: () => void) {
    this.#keep = framing === 'end' ? undefined : keep;
    this.status = head.status;
    this.reason = head.reason;
    this.minor = head.minor;
    this.fields = head.fields;
    this.length = typeof framing === 'number' ? framing : undefined;
    this.#peer = peer;
    this.#framing = framing;
    this.#rest = rest;
  }

  /** The value of a field by its lower-case name; undefined if there is none, or more than one. */
  field(name: string): string | undefined {
    return fieldOf(this.fields, name);
  }

  /**
   * Reads the body to its end, as chunks that the sink takes one at a time, and ends the connection.
   * @param timeoutMs silence that is an error
   * @throws ViaductError CUT_SHORT, TIMEOUT or BAD_REPLY; the sink's error; the signal's reason
   */
  async read(sink: Sink, timeoutMs = this.#peer.timeoutMs): Promise<void> {
    const peer = this.#peer;
    const { stream } = peer;
    if (this.length === 0) {
      if (this.#rest.length > 0) {
        stream.reset();
        throw peerError(peer, 'BAD_REPLY', 'sent more than the 0 bytes that it announced');
      }
      return this.#end();
    }
    await receive(stream, {
      end: () => this.#end(),
      begin: this.#rest,
      take: this.#framing === 'chunks' ? this.#chunkTaker(sink) : this.#byteTaker(sink),
      timeoutMs,
      signal: peer.signal,
      late: () => peerError(peer, 'TIMEOUT', `sent nothing for ${timeoutMs / 1000} s, ${this.#progress()}`),
      gone: () => this.#cutShort('reset', stream.error),
      ended: () => (this.#framing === 'end' ? undefined : this.#cutShort('closed')),
    });
  }

  /**
   * The whole body.
   * @throws as {@link read}; BAD_REPLY if it has more than `limit` bytes, TIMEOUT after `limitMs`
   */
  async bytes(limit: number, limitMs: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const deadline = performance.now() + limitMs;
    await this.read(
      async (chunk) => {
        if (this.received + chunk.length > limit)
          throw peerError(this.#peer, 'BAD_REPLY', `sent more than ${limit} bytes`);
        if (performance.now() > deadline)
          throw peerError(
            this.#peer,
            'TIMEOUT',
            `was not done within ${limitMs / 1000} s, ${this.#progress()}`,
          );
        chunks.push(Buffer.from(chunk));
      },
      Math.min(limitMs, this.#peer.timeoutMs),
    );
    return Buffer.concat(chunks);
  }

  /** Gives the body up. */
  close(): void {
    if (this.length === 0 && this.#rest.length === 0 && this.#keep !== undefined) this.#end();
    else this.#peer.stream.reset();
  }

  /** Once: the whole reply was read. */
  #end(): void {
    const { stream } = this.#peer;
    if (this.#keep === undefined) stream.leave();
    else if (!this.#isEnded) this.#keep();
    this.#isEnded = true;
  }

  #byteTaker(sink: Sink): (bytes: Buffer) => Promise<boolean> {
    const length = this.length ?? Infinity;
    return async (bytes) => {
      if (this.received + bytes.length > length)
        throw peerError(this.#peer, 'BAD_REPLY', `sent more than the ${length} bytes that it announced`);
      await sink(bytes);
      this.received += bytes.length;
      return this.received === length;
    };
  }

  #chunkTaker(sink: Sink): (bytes: Buffer) => Promise<boolean> {
    const decoder = new ChunkDecoder();
    return async (bytes) => {
      for (const content of named(this.#peer, () => [...decoder.decode(bytes)])) {
        await sink(content);
        this.received += content.length;
      }
      if (decoder.done && decoder.excess > 0)
        throw peerError(this.#peer, 'BAD_REPLY', 'sent bytes after the last chunk');
      return decoder.done;
    };
  }

  #cutShort(how: 'closed' | 'reset', cause?: unknown): ViaductError {
    // In a tunnel it is the last hop.
    const side = this.#peer.number > 1 ? 'before it' : 'beyond';
    const what = `${how} the connection ${this.#progress()}: the chain broke there or ${side}`;
    return peerError(this.#peer, 'CUT_SHORT', what, cause);
  }

  #progress(): string {
    return `after ${this.received}${this.length === undefined ? '' : ` of ${this.length}`} bytes`;
  }
}

/** An error of the hop; `what` follows its name. */
export function peerError(
  { hop, number }: Peer,
  code: ErrorCode,
  what: string,
  cause?: unknown,
  hint?: string,
): ViaductError {
  return hopError(code, number, hop, what, cause, hint);
}

/** Names the hop in what is wrong with its bytes. */
export function named<T>({ hop, number }: Peer, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const details = { hopAddress: formatHop(hop), hopNumber: number };
    throw withContext(error, (what) => `${hopLabel(number, hop)} ${what}`, details);
  }
}
