import { formatHop } from '../../route/hop.js';
import type { ByteStream, Reading } from '../../tcp/byte-stream.js';
import { earlyEnd } from '../../tcp/early-reset.js';
import { Watchdog } from '../../tcp/watchdog.js';
import { type BodyReader, bodyReader } from '../../wire/http/body.js';
import { type Field, type ReplyHead, formatHead, isKeptAlive, valuesOf } from '../../wire/http/head.js';
import { ReplyHeadReader, framingOf } from '../../wire/http/reply.js';
import { clientVia } from '../../wire/http/via.js';
import { type Peer, named, peerError } from './reply.js';
import { lastOf } from './secure.js';
import type { Session } from './sessions.js';

/** A GET, and who takes its reply. What a taker throws ends the pipeline. */
export interface PipelinedRequest {
  /** At the last hop. */
  readonly path: string;
  /** Besides `Host` and `Via`. */
  readonly fields: readonly Field[];
  /** @param length of the body; undefined if it comes in chunks */
  readonly onHead: (head: ReplyHead, length: number | undefined) => void;
  /** Takes a piece of the body, which is valid during the call or until the promise is fulfilled: nothing is read then. */
  readonly onBody: (piece: Buffer) => void | Promise<void>;
}

interface Waiting {
  readonly request: PipelinedRequest;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What follows a head or a part of a body; `busy` while that is still being taken. */
interface Taken {
  readonly rest: Buffer;
  readonly busy?: Promise<void> | undefined;
}

/**
 * Requests on one connection to the last hop of a route that do not wait for each other's replies (RFC 9112 §9.3.2).
 * Replies are taken as they come: they should be small, since those behind a large one wait.
 */
export class Pipeline {
  readonly #session: Session;
  readonly #peer: Peer;
  readonly #reading: Reading;
  readonly #watchdog: Watchdog;
  readonly #forgetClose: () => void;
  readonly #waiting: Waiting[] = [];
  #heads = new ReplyHeadReader();
  /** The beginning of an incomplete head. */
  #begun = Buffer.alloc(0);
  #body: BodyReader | undefined;
  #outbox: Buffer[] = [];
  /** The node ends the connection with the reply that comes now. */
  #isLast = false;
  #isOver = false;
  #isTaking = false;
  #hasGone: unknown;

  /** @param limitMs silence that is an error, while a reply is awaited */
  constructor(session: Session, limitMs: number) {
    const { stream, route } = session;
    this.#session = session;
    const hop = lastOf(route);
    this.#peer = {
      stream,
      hop,
      number: route.length,
      timeoutMs: limitMs,
      signal: new AbortController().signal,
    };
    this.#watchdog = new Watchdog(
      limitMs,
      () => (this.#waiting.length === 0 || this.#isTaking ? undefined : stream.received),
      () => this.#break(peerError(this.#peer, 'TIMEOUT', `sent nothing for ${limitMs / 1000} s`)),
    );
    const gone = (): void => {
      const what = earlyEnd('before it replied', stream.error);
      const error = peerError(this.#peer, 'CUT_SHORT', what, stream.error);
      // What has come is taken first.
      if (this.#isTaking) this.#hasGone = error;
      else this.#break(error);
    };
    this.#forgetClose = stream.onClose(gone);
    this.#reading = stream.attach({ take: this.#take, end: gone, keepsChunks: true });
    if (stream.closed || stream.ended) gone();
    else this.#reading.resume();
  }

  /** Takes further requests. */
  get isOpen(): boolean {
    return !this.#isOver && !this.#isLast;
  }

  /** Nothing more comes. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get stream(): ByteStream {
    return this.#session.stream;
  }

  /**
   * Sends a request; resolves when its reply was taken.
   * @throws ViaductError CUT_SHORT, TIMEOUT, BAD_REPLY or NOT_A_NODE; what a taker, also of an earlier reply, has thrown
   */
  send(request: PipelinedRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(peerError(this.#peer, 'CUT_SHORT', 'ended the connection'));
      this.#waiting.push({ request, resolve, reject });
      // What is asked in one turn leaves in one piece.
      if (this.#outbox.push(this.#headOf(request)) === 1) queueMicrotask(this.#flush);
    });
  }

  /** No further request. @returns the connection for others, if no reply is on its way */
  end(reason: unknown): Session | undefined {
    if (this.#isOver) return undefined;
    if (this.#waiting.length === 0 && !this.#isLast) {
      this.#stop();
      return this.#session;
    }
    this.#break(reason);
    return undefined;
  }

  #headOf({ path, fields }: PipelinedRequest): Buffer {
    const { hop, number } = this.#peer;
    return formatHead(`GET ${path} HTTP/1.1`, [['Host', formatHop(hop)], clientVia(number - 1), ...fields]);
  }

  readonly #flush = (): void => {
    const heads = Buffer.concat(this.#outbox);
    this.#outbox = [];
    if (!this.#isOver) this.#session.stream.write(heads);
  };

  readonly #take = (chunk: Buffer): boolean => {
    const bytes = this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk]);
    this.#begun = Buffer.alloc(0);
    return this.#takeAll(bytes);
  };

  /** @returns false if a piece is still being taken: the rest follows it */
  #takeAll(bytes: Buffer): boolean {
    let rest = bytes;
    try {
      while (rest.length > 0 && !this.#isOver) {
        const [first] = this.#waiting;
        if (first === undefined) throw peerError(this.#peer, 'BAD_REPLY', 'sent what nobody asked for');
        const taken: Taken | undefined =
          this.#body === undefined ? this.#takeHead(first, rest) : this.#takeBody(first, this.#body, rest);
        if (taken === undefined) {
          this.#begun = Buffer.from(rest);
          break;
        }
        rest = taken.rest;
        if (taken.busy === undefined) continue;
        this.#goOn(taken.busy, rest);
        return false;
      }
    } catch (error) {
      this.#break(error);
    }
    return true;
  }

  #goOn(busy: Promise<void>, rest: Buffer): void {
    this.#isTaking = true;
    busy.then(
      () => {
        this.#isTaking = false;
        if (!this.#takeAll(rest)) return;
        if (this.#hasGone === undefined) this.#reading.resume();
        else this.#break(this.#hasGone);
      },
      (error: unknown) => this.#break(error),
    );
  }

  /** @returns undefined while it is incomplete */
  #takeHead(waiting: Waiting, bytes: Buffer): Taken | undefined {
    const reply = named(this.#peer, () => this.#heads.read(bytes));
    if (reply === undefined) return undefined;
    const { head, rest } = reply;
    this.#heads = new ReplyHeadReader();
    if (valuesOf(head.fields, 'viaduct').length === 0)
      throw peerError(this.#peer, 'NOT_A_NODE', 'is not a node');
    const framing = framingOf(head, false);
    // Whoever is on the way can end a connection in TLS: a reply has to show that it is whole.
    if (framing === 'end') throw peerError(this.#peer, 'BAD_REPLY', 'sent a reply without length or chunks');
    this.#isLast = !isKeptAlive(head);
    waiting.request.onHead(head, framing === 'chunks' ? undefined : framing);
    if (framing === 0) this.#replied(waiting);
    else this.#body = bodyReader(framing);
    return { rest };
  }

  #takeBody(waiting: Waiting, body: BodyReader, bytes: Buffer): Taken {
    const { pieces, rest, isDone } = named(this.#peer, () => body(bytes));
    const busy = this.#hand(waiting.request, pieces);
    if (busy !== undefined) return { rest, busy: isDone ? busy.then(() => this.#replied(waiting)) : busy };
    if (isDone) this.#replied(waiting);
    return { rest };
  }

  /** @returns undefined if all were taken at once */
  #hand({ onBody }: PipelinedRequest, pieces: readonly Buffer[]): Promise<void> | undefined {
    let busy: Promise<void> | undefined;
    for (const piece of pieces) {
      const taken: void | Promise<void> = busy === undefined ? onBody(piece) : busy.then(() => onBody(piece));
      if (taken !== undefined) busy = taken;
    }
    return busy;
  }

  #replied({ resolve }: Waiting): void {
    this.#body = undefined;
    this.#waiting.shift();
    resolve();
    // Those behind it are not answered.
    if (this.#isLast) this.#break(peerError(this.#peer, 'CUT_SHORT', 'ended the connection'));
  }

  #stop(): void {
    this.#isOver = true;
    this.#watchdog.stop();
    this.#forgetClose();
    this.#reading.detach();
  }

  #break(error: unknown): void {
    if (this.#isOver) return;
    this.#stop();
    this.#session.stream.reset();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
