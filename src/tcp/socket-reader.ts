import type { Socket } from 'node:net';
import { AttachedReader, type ReadControl } from './attached-reader.js';
import type { Reading, StreamReader } from './byte-stream.js';
import { readInto } from './handle.js';
import { SHARED_BUFFER } from './read-buffer.js';

const NOTHING = Buffer.alloc(0);

/** What a socket receives, for one reader after the other. Nothing is read before one attaches and resumes. */
export class SocketReader {
  received = 0;
  /** FIN has been read, after all bytes. */
  ended = false;
  /** Node reads into its own buffers, ahead of the reader. */
  readsAhead = false;
  readonly #socket: Socket;
  #attached: AttachedReader | undefined;
  /** Bytes that arrived between two readers. */
  #unread: Buffer = NOTHING;
  /** The next read goes to the shared buffer, also if the reader has its own. */
  #isShrunk = false;
  /** TLS: all records that were read together are delivered, also after a pause. */
  readonly #overruns: boolean;
  /** The reader has paused, and may hold the last chunk. */
  #isHeld = false;
  #into: Buffer = SHARED_BUFFER;
  readonly #control: ReadControl;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#overruns = 'encrypted' in socket;
    this.#control = {
      resume: this.#resume,
      pause: () => void socket.pause(),
      shrink: () => (this.#isShrunk = true),
      // Without a pause, since another reader mostly follows at once. One more chunk at most is read until then.
      detach: () => (this.#attached = undefined),
    };
  }

  /** Reads a socket that is connected and paused; one that is dialled gets {@link nextBuffer} and {@link take} at once. */
  start(): void {
    const socket = this.#socket;
    if (readInto(socket, { buffer: this.nextBuffer, callback: this.take })) return;
    this.readsAhead = true;
    socket.on('data', (chunk: Buffer) => {
      if (!this.#deliver(chunk)) socket.pause();
    });
  }

  /** Bytes are waiting for a reader, or cannot be told from what a pause holds back. */
  get holdsBytes(): boolean {
    return this.#overruns || this.#unread.length > 0;
  }

  attach(reader: StreamReader): Reading {
    if (this.#attached !== undefined) throw new Error('the stream has a reader already');
    this.#attached = new AttachedReader(reader, this.#control);
    return this.#attached;
  }

  /** Takes what waits for a reader. */
  takeUnread(): Buffer {
    const unread = this.#unread;
    this.#unread = NOTHING;
    return unread;
  }

  end(): void {
    this.ended = true;
    this.#reportEnd();
  }

  /** What Node reads into. It asks again after each chunk. */
  readonly nextBuffer = (): Buffer => {
    const isFree = !this.#isShrunk && !(this.#overruns && this.#isHeld);
    this.#into = (isFree ? this.#attached?.buffer?.current : undefined) ?? SHARED_BUFFER;
    return this.#into;
  };

  /** Takes what was read into it. False: read no more. */
  readonly take = (length: number): boolean => {
    const into = this.#into;
    const buffer = this.#attached?.buffer;
    this.#isShrunk = false;
    const chunk = into.subarray(0, length);
    const isOwn = into !== SHARED_BUFFER;
    if (isOwn) buffer?.filled(into, length);
    // A reader that keeps chunks may not have had its own buffer in time.
    const more = this.#deliver(isOwn || buffer === undefined ? chunk : Buffer.from(chunk));
    if (more) buffer?.grow(this.received);
    return more;
  };

  readonly #resume = (attached: AttachedReader): void => {
    this.#isHeld = false;
    if (this.#unread.length > 0) {
      if (!this.#hand(attached, this.takeUnread()) || this.#attached !== attached) return;
    }
    if (this.ended) return this.#reportEnd();
    // Not before: the last chunk may have had to wait in this buffer.
    attached.buffer?.grow(this.received);
    this.#socket.resume();
  };

  #reportEnd(): void {
    const attached = this.#attached;
    if (attached === undefined || attached.endReported || this.#unread.length > 0) return;
    attached.endReported = true;
    attached.reader.end();
  }

  #deliver(chunk: Buffer): boolean {
    this.received += chunk.length;
    if (this.#attached !== undefined && !(this.#overruns && this.#isHeld))
      return this.#hand(this.#attached, chunk);
    this.#unread = Buffer.concat([this.#unread, chunk]);
    return false;
  }

  #hand({ reader }: AttachedReader, chunk: Buffer): boolean {
    this.#isHeld = true; // Before the call, in which the reader may resume.
    const more = reader.take(chunk);
    if (more) this.#isHeld = false;
    return more;
  }
}
