import { type ViaductError, asViaductError } from '../../errors.js';
import { hex } from '../../text.js';
import type { Destination, Sink } from '../../files/destination.js';
import type { Location } from '../../route/location.js';
import type { Reply } from '../http/reply.js';
import { Attempts } from './attempts.js';
import type { GetEvent } from './events.js';
import type { GetResult, SharedOptions } from './options.js';
import type { OriginFile } from './origin-file.js';
import { type Parts, partsFor } from './parts/parts.js';
import { pauseUnless } from './retry.js';
import { Repair } from './repair.js';
import { Routes } from './routes.js';
import { recordedSource } from './source.js';
import { readWatched } from './silence.js';
import { Throttle } from './throttle.js';
import { Verification } from './verification.js';

/** Downloads one file to one destination: one attempt after the other, until it is complete and verified. */
export class FileDownload {
  readonly #routes: Routes;
  readonly #to: Destination;
  readonly #options: SharedOptions;
  readonly #signal: AbortSignal;
  readonly #throttle: Throttle | undefined;
  readonly #attempts: Attempts;
  /** A reply has come, so the route works. */
  #hasReply = false;
  #received = 0;
  /** The file has changed: the next attempt requests all of it. */
  #startOver = false;
  /** The last attempt failed while it read the body of the file. */
  inBody = false;
  readonly #verification: Verification;
  readonly #repair = new Repair();
  #parts: Parts | undefined;
  /** The origin sends no parts. */
  #isInOne = false;
  #sentAt = 0;

  constructor(location: Location, to: Destination, options: SharedOptions, signal: AbortSignal) {
    this.#to = to;
    this.#options = options;
    this.#signal = signal;
    this.#attempts = new Attempts(to.bytes, options);
    this.#throttle = options.throttle;
    if (options.limitRate !== undefined) this.#throttle ??= new Throttle(options.limitRate);
    this.#verification = new Verification(to, options, signal);
    const receiveBuffer = this.#throttle?.receiveBuffer;
    const onSend = (): void => void (this.#sentAt = performance.now());
    this.#routes = new Routes(location, options.also ?? [], { ...options, receiveBuffer, onSend }, signal);
  }

  /**
   * @throws ViaductError as {@link OriginFile.get} and {@link OriginFile.digest}; DIGEST_MISMATCH; WRITE_FAILED;
   *   the reason of the signal
   */
  async run(): Promise<GetResult> {
    this.#emit({ type: 'trace', traceId: this.#origin.traceId });
    try {
      for (;;) {
        this.#attempts.begin();
        try {
          await this.#fetch();
          // Parts that broke off are left.
          while (!this.#to.isComplete) await this.#fetch();
          const result = await this.#finish();
          if (result !== undefined) return result;
        } catch (error) {
          await this.#prepareRetry(asViaductError(error));
        }
      }
    } finally {
      await this.#closeParts();
    }
  }

  async #closeParts(): Promise<void> {
    await this.#parts?.close();
    this.#parts = undefined;
  }

  /** Undefined if a part of it was damaged, and is to be fetched again. */
  async #finish(): Promise<GetResult | undefined> {
    await this.#closeParts();
    const { isNeeded } = this.#verification;
    if (isNeeded) this.#emit({ type: 'phase', phase: 'verifying' });
    const digest = isNeeded ? await this.#verification.verify(this.#origin, this.#repaired) : undefined;
    if (isNeeded && digest === undefined) return undefined;
    const { modified, grownTo, leftOut } = this.#verification;
    const { bytes } = this.#to;
    if (grownTo !== undefined && grownTo > bytes) this.#emit({ type: 'grown', bytes, size: grownTo });
    const sha256 = digest === undefined ? undefined : hex(digest);
    return { size: bytes, received: this.#received, sha256, modified, leftOut };
  }

  /** On the route in use. */
  get #origin(): OriginFile {
    return this.#routes.current.origin;
  }

  /** Drops what is damaged, and begins to fetch it again. */
  readonly #repaired = async (): Promise<boolean> => {
    const bytes = await this.#repair.drop(this.#origin, this.#to);
    if (bytes === undefined) return false;
    this.#emit({ type: 'damaged', bytes, size: this.#to.version?.size ?? 0 });
    this.#parts = this.#partsOf(0, true);
    await this.#parts?.rest();
    this.#signal.throwIfAborted();
    return true;
  };

  #emit(event: GetEvent): void {
    this.#options.onEvent?.(event);
  }

  /** Requests what is missing, and saves it. */
  async #fetch(): Promise<void> {
    this.#signal.throwIfAborted();
    const { version, isComplete, bytes } = this.#to;
    if (isComplete && !this.#startOver) {
      // The SHA-256 confirms the version too.
      if (!this.#verification.asks) await this.#verification.confirm(this.#origin);
      return;
    }
    const { contiguousBytes: start } = this.#to;
    const etag = this.#startOver || bytes === 0 ? undefined : version?.etag;
    const resume = version && etag !== undefined ? await this.#routes.rest(version, start) : undefined;
    this.inBody = false;
    this.#emit({ type: 'phase', phase: 'connecting' });
    const reply = await this.#origin.get(this.#verification.asks, resume);
    this.#hasReply = true;
    this.#routes.succeeded();
    try {
      if (reply.status === 200) await this.#begin(reply);
      // Not where the file ends by now: other connections have gone on meanwhile.
      await this.#save(reply, reply.status === 200 ? 0 : start);
    } catch (error) {
      reply.close();
      throw error;
    }
  }

  /** Prepares the destination for a reply with the whole file. @throws ViaductError CHANGED if that happens too often */
  async #begin(reply: Reply): Promise<void> {
    const { version, bytes } = this.#to;
    const next = this.#origin.versionOf(reply);
    const isOther = bytes > 0 && next.etag !== version?.etag;
    if (isOther && !this.#startOver) this.#attempts.noteChange(this.#origin);
    if (isOther) this.#attempts.restart();
    if (bytes > 0) {
      const isSame = version?.etag !== undefined && version.etag === next.etag;
      if (isSame) this.#isInOne = true;
      const reason = version?.etag === undefined ? 'the file has no strong ETag' : 'the file has changed';
      this.#emit({ type: 'restart', reason: isSame ? 'the origin does not support ranges' : reason });
    }
    this.#verification.restart();
    await this.#closeParts();
    await this.#to.begin(next);
    this.#routes.begin();
    this.#startOver = false;
  }

  /** @param from where the bytes of the reply belong */
  async #save(reply: Reply, from: number): Promise<void> {
    const to = this.#to;
    const { size = 0, etag } = to.version ?? {};
    let position = from;
    const roundTripMs = performance.now() - this.#sentAt;
    this.#verification.replied(reply);
    this.#emit({ type: 'reply', size, offset: position, etag });
    this.#emit({ type: 'phase', phase: 'downloading' });
    this.inBody = true;
    this.#isInOne ||= reply.status === 200 && reply.field('accept-ranges') !== 'bytes';
    if (!this.#isInOne) this.#parts ??= this.#partsOf(roundTripMs);
    if (this.#parts !== undefined)
      await this.#parts.bring(
        from,
        (sink) => this.#read(reply, sink),
        () => reply.close(),
      );
    else {
      const save = async (chunk: Buffer): Promise<void> => {
        await to.write(chunk, position);
        position += chunk.length;
        this.#wrote(chunk.length);
      };
      await this.#read(reply, this.#throttle?.slowed(save, this.#signal) ?? save);
    }
    this.inBody = false;
  }

  #wrote(bytes: number): void {
    this.#received += bytes;
    this.#emit({ type: 'progress', bytes: this.#to.bytes, size: this.#to.version?.size ?? 0 });
  }

  /** Undefined if all of it comes over one connection. */
  #partsOf(roundTripMs: number, always = false): Parts | undefined {
    if (this.#throttle !== undefined) return undefined;
    return partsFor(this.#to, {
      ...this.#options,
      always,
      routes: this.#routes,
      roundTripMs,
      onBytes: (bytes) => this.#wrote(bytes),
      signal: this.#signal,
    });
  }

  /** Reads the body, and reports silence of the sender. */
  #read(reply: Reply, save: Sink): Promise<void> {
    return readWatched(reply, save, this.#routes.current.location, {
      ...this.#options,
      received: () => this.#received,
      onSilence: (answeredHop) => this.#emit({ type: 'silence', answeredHop }),
      signal: this.#signal,
    });
  }

  /** Waits before the next attempt. @throws the error, if there is no further attempt */
  async #prepareRetry(error: ViaductError): Promise<void> {
    this.#signal.throwIfAborted();
    const { bytes, restartable } = this.#to;
    // Another route may just lead to another file.
    if (error.code === 'CHANGED' && restartable && !this.#routes.isAway) {
      if (this.#options.retries === 0) throw error;
      this.#attempts.noteChange(this.#origin);
      this.#startOver = true;
      this.#verification.changed();
      return;
    }
    const failed = recordedSource(this.#routes.current.location);
    if (this.#routes.failed(error)) return this.#emit({ type: 'route-failed', location: failed, error });
    const failure = this.#routes.allFailed(error);
    // Failures before the first reply usually mean a wrong route.
    const { inTree, retryConnect } = this.#options;
    if (!failure.transient || !(this.#hasReply || inTree || retryConnect)) throw failure;
    const retry = this.#attempts.next(bytes);
    if (retry === undefined)
      throw failure.code === 'CUT_SHORT' && this.#attempts.restartsAgain
        ? this.#attempts.keepsChanging(this.#origin, failure)
        : failure;
    this.#emit({ type: 'retry', ...retry, error: failure });
    this.#emit({ type: 'phase', phase: 'waiting' });
    // Other connections may bring the rest meanwhile.
    await pauseUnless(this.#parts?.complete(), retry.pauseMs, this.#signal);
  }
}
