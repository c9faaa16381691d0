import { Socket } from 'node:net';
import { AttachedReader, type ReadControl } from './attached-reader.js';
import type { Reading, StreamReader } from './byte-stream.js';
import { readInto } from './handle.js';
import { SHARED_BUFFER } from './read-buffer.js';
import { Unread } from './unread.js';

/** Where it comes from. */
export interface ReadSource {
  readonly destroyed: boolean;
  pause(): void;
  resume(): void;
}

/** What a socket receives, for one reader after the other. Nothing is read before one attaches and resumes. */
export class SocketReader implements ReadControl {
  received = 0;
  /** FIN has come, and may stand behind bytes that wait for a reader. */
  #hasEnd = false;
  /** Node reads into its own buffers, ahead of the reader. */
  readsAhead = false;
  readonly #socket: ReadSource;
  #attached: AttachedReader | undefined;
  /** What the reader has not taken yet: it has paused, or there is none. */
  readonly #unread = new Unread();
  /** The next read goes to the shared buffer, also if the reader has its own. */
  #isShrunk = false;
  /** TLS: chunks are delivered after a pause, too, and one for each record. */
  readonly #overruns: boolean;
  #isGathering = false;
  #into: Buffer = SHARED_BUFFER;

  constructor(source: Socket | ReadSource) {
    this.#socket = source;
    this.#overruns = 'encrypted' in source;
    // The first of its listeners: what came before a break is delivered before the break.
    if (source instanceof Socket && this.#overruns) source.once('close', () => this.#gathered());
  }

  /** Reads a socket that is connected and paused; one that is dialled gets {@link nextBuffer} and {@link take} at once. */
  start(socket: Socket): void {
    const target = { buffer: () => this.nextBuffer(), callback: (length: number) => this.take(length) };
    if (readInto(socket, target)) return;
    this.readsAhead = true;
    socket.on('data', (chunk: Buffer) => {
      if (!this.#deliver(chunk)) socket.pause();
    });
  }

  /** Bytes are waiting for a reader, or cannot be told from what a pause holds back. */
  get holdsBytes(): boolean {
    return this.#overruns || !this.#unread.isEmpty;
  }

  attach(reader: StreamReader): Reading {
    if (this.#attached !== undefined) throw new Error('the stream has a reader already');
    this.#attached = new AttachedReader(reader, this, this.#overruns);
    return this.#attached;
  }

  /** Takes what waits for a reader. */
  takeUnread(): Buffer {
    return this.#unread.take();
  }

  /** FIN has been read, after all bytes. */
  get ended(): boolean {
    return this.#hasEnd && this.#unread.isEmpty;
  }

  end(): void {
    this.#hasEnd = true;
    this.#reportEnd();
  }

  /** What Node reads into. It asks again after each chunk. */
  nextBuffer(): Buffer {
    const own = this.#isShrunk ? undefined : this.#attached?.buffer?.current;
    const free = own !== undefined && this.#overruns ? this.#unread.freePart(own) : own;
    this.#into = free ?? SHARED_BUFFER;
    return this.#into;
  }

  /** Takes what was read into it. False: read no more. */
  take(length: number): boolean {
    const into = this.#into;
    const buffer = this.#attached?.buffer;
    this.#isShrunk = false;
    const chunk = into.subarray(0, length);
    const isOwn = into !== SHARED_BUFFER;
    if (isOwn) buffer?.filled(chunk);
    // A reader that keeps chunks may not have had its own buffer in time.
    const more = this.#deliver(isOwn || buffer === undefined ? chunk : Buffer.from(chunk));
    if (more && !this.#overruns) buffer?.grow(this.received);
    return more;
  }

  pause(): void {
    this.#socket.pause();
  }

  shrink(): void {
    this.#isShrunk = true;
    this.#unread.copy();
  }

  /** Without a pause, since another reader mostly follows at once. One more chunk at most is read until then. */
  detach(): void {
    this.#attached = undefined;
    this.#unread.copy();
  }

  resume(attached: AttachedReader): void {
    this.#unread.held = undefined;
    // At once where more cannot come, or does not help.
    const gathers = this.#overruns && attached.buffer !== undefined && !this.#socket.destroyed;
    if (gathers && !this.#unread.isEmpty) this.#gather();
    else if (!this.#unread.isEmpty) {
      if (!this.#hand(attached, this.#unread.take()) || this.#attached !== attached) return;
    }
    if (this.ended) return this.#reportEnd();
    // Not before: the last chunk may have had to wait in this buffer.
    attached.buffer?.grow(this.received);
    this.#socket.resume();
  }

  #reportEnd(): void {
    const attached = this.#attached;
    if (attached === undefined || attached.endReported || !this.ended) return;
    attached.endReported = true;
    attached.reader.end();
  }

  #deliver(chunk: Buffer): boolean {
    this.received += chunk.length;
    if (this.#attached !== undefined && !this.#overruns) return this.#hand(this.#attached, chunk);
    this.#unread.push(chunk);
    if (this.#attached === undefined || this.#unread.held !== undefined) return false;
    if (this.#unread.hasRoom(this.#attached.buffer?.current)) {
      this.#gather();
      return true;
    }
    return this.#handGathered();
  }

  /** Records that Node decrypts in one turn are handed over as one chunk: each would cost the reader as much as all. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    setImmediate(() => this.#gathered());
  }

  #gathered(): void {
    this.#isGathering = false;
    if (!this.#handGathered()) this.#socket.pause();
  }

  #handGathered(): boolean {
    const attached = this.#attached;
    if (attached === undefined || this.#unread.held !== undefined || this.#unread.isEmpty) return true;
    if (!this.#hand(attached, this.#unread.take())) return false;
    if (this.#attached === attached) attached.buffer?.grow(this.received);
    if (this.ended) this.#reportEnd();
    return true;
  }

  #hand({ reader }: AttachedReader, chunk: Buffer): boolean {
    // Before the call, in which the reader may resume. Otherwise it would keep the buffer of a reader that has stalled.
    if (this.#overruns) this.#unread.held = chunk;
    const more = reader.take(chunk);
    if (more) this.#unread.held = undefined;
    return more;
  }
}
