import { EAGAIN, EINTR } from '../../system/calls.js';
import type { SocketCalls } from '../../system/socket-calls.js';
import type { Endpoint } from './endpoint.js';

interface Waiting {
  bytes: Uint8Array;
  readonly flushed: () => void;
}

const NONE: Waiting[] = [];
const NOBODY: (() => void)[] = [];

/** What a stream sends: at once, or when the kernel takes it. */
export class Sending {
  readonly #calls: SocketCalls;
  readonly #endpoint: Endpoint;
  /** None costs nothing: most streams never wait. */
  #waiting: Waiting[] = NONE;
  /** FIN is to follow what waits, and these are to be called then. */
  #finishing: (() => void)[] = NOBODY;

  constructor(calls: SocketCalls, endpoint: Endpoint) {
    this.#calls = calls;
    this.#endpoint = endpoint;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Bytes that wait. */
  get size(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /**
   * As {@link ByteStream.write}.
   * @param isLast FIN follows, and can go with its last segment
   */
  write(bytes: Uint8Array, flushed: () => void, isLast = false): boolean {
    const { fd } = this.#endpoint;
    const taken = fd === undefined || !this.isEmpty ? 0 : this.#send(fd, bytes, isLast);
    if (taken === bytes.length && this.isEmpty) return true;
    if (taken < 0) this.#endpoint.broken('write', taken);
    else this.#wait(bytes.subarray(taken), flushed);
    return false;
  }

  /** As {@link ByteStream.finish}. */
  finish(queued: () => void): void {
    this.#finishing = [...this.#finishing, queued];
    if (this.isEmpty) this.#sendFin();
  }

  /** Sends what waits, as much as the kernel takes. */
  flush(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const { fd } = this.#endpoint;
      if (fd === undefined) return;
      const taken = this.#send(fd, first.bytes, false);
      if (taken < 0) return this.#endpoint.broken('write', taken);
      if (taken < first.bytes.length) {
        first.bytes = first.bytes.subarray(taken);
        return;
      }
      this.#waiting.shift();
      first.flushed();
    }
    this.#sendFin();
  }

  drop(): void {
    this.#waiting = NONE;
    this.#finishing = NOBODY;
  }

  /** Hands over what waits, to be sent by somebody else. */
  take(): readonly Waiting[] {
    const waiting = this.#waiting;
    this.drop();
    return waiting;
  }

  #wait(bytes: Uint8Array, flushed: () => void): void {
    if (this.#waiting === NONE) this.#waiting = [];
    this.#waiting.push({ bytes, flushed });
  }

  /** Bytes that the kernel took, or a negative errno. */
  #send(fd: number, bytes: Uint8Array, isLast: boolean): number {
    if (bytes.length === 0) return 0;
    for (;;) {
      const taken = this.#calls.send(fd, bytes, isLast);
      if (taken !== EINTR) return taken === EAGAIN ? 0 : taken;
    }
  }

  #sendFin(): void {
    const [told, { fd }] = [this.#finishing, this.#endpoint];
    if (told.length === 0 || fd === undefined) return;
    this.#finishing = NOBODY;
    const result = this.#calls.shutdown(fd);
    // ENOTCONN hides why.
    if (result < 0) return this.#endpoint.broken('shutdown', this.#calls.pendingError(fd) || result);
    this.#endpoint.finSent();
    for (const queued of told) process.nextTick(queued);
  }
}
