import { ViaductError, asViaductError } from '../../errors.js';
import { hex } from '../../text.js';
import type { Destination, Sink } from '../../files/destination.js';
import type { Location } from '../../route/location.js';
import { digestOf, grownTo, modifiedOf } from '../http/file-reply.js';
import type { Reply } from '../http/reply.js';
import { Attempts } from './attempts.js';
import type { GetEvent } from './events.js';
import type { GetResult, SharedOptions } from './options.js';
import { OriginFile } from './origin-file.js';
import { pause, unlessAborted } from './retry.js';
import { watchSilence } from './silence.js';
import { Throttle } from './throttle.js';

/** Downloads one file to one destination: one attempt after the other, until it is complete and verified. */
export class FileDownload {
  readonly #location: Location;
  readonly #origin: OriginFile;
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
  /** The SHA-256 of what was saved, while or after it is computed. */
  #ownDigest: Promise<string> | undefined;
  /** The SHA-256 that the origin reported, and the modification time. */
  #originDigest: string | undefined;
  #modified: Date | undefined;
  /** The size of the file by now, if it has grown, or was only renamed, since its version was determined. */
  #grownTo: number | undefined;

  constructor(location: Location, to: Destination, options: SharedOptions, signal: AbortSignal) {
    this.#location = location;
    this.#to = to;
    this.#options = options;
    this.#signal = signal;
    this.#attempts = new Attempts(to.bytes, options);
    this.#throttle = options.throttle;
    if (options.limitRate !== undefined) this.#throttle ??= new Throttle(options.limitRate);
    const receiveBuffer = this.#throttle?.receiveBuffer;
    this.#origin = new OriginFile(location, { ...options, receiveBuffer }, signal);
  }

  /**
   * @throws ViaductError as {@link OriginFile.get} and {@link OriginFile.digest}; DIGEST_MISMATCH; WRITE_FAILED;
   *   the reason of the signal
   */
  async run(): Promise<GetResult> {
    this.#emit({ type: 'trace', traceId: this.#origin.traceId });
    for (;;) {
      this.#attempts.begin();
      try {
        await this.#fetch();
        const sha256 = this.#verifies ? hex(await this.#verify()) : undefined;
        if (this.#grownTo !== undefined && this.#grownTo > this.#to.bytes)
          this.#emit({ type: 'grown', bytes: this.#to.bytes, size: this.#grownTo });
        return { size: this.#to.bytes, received: this.#received, sha256, modified: this.#modified };
      } catch (error) {
        await this.#prepareRetry(asViaductError(error));
      }
    }
  }

  get #verifies(): boolean {
    return this.#options.verify !== false;
  }

  #emit(event: GetEvent): void {
    this.#options.onEvent?.(event);
  }

  /** Requests what is missing, and saves it. */
  async #fetch(): Promise<void> {
    const { version, isComplete, bytes, contiguousBytes: start } = this.#to;
    if (isComplete && !this.#startOver) {
      // The SHA-256 confirms the version too.
      if (!this.#verifies) await this.#confirm();
      return;
    }
    const etag = this.#startOver || bytes === 0 ? undefined : version?.etag;
    const resume = version === undefined || etag === undefined ? undefined : { version, etag, start };
    this.inBody = false;
    this.#emit({ type: 'phase', phase: 'connecting' });
    const reply = await this.#origin.get(this.#verifies, resume);
    this.#hasReply = true;
    try {
      if (reply.status === 200) await this.#begin(reply);
      await this.#save(reply);
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
    if (isOther && !this.#startOver) this.#noteChange();
    if (isOther) this.#attempts.restart();
    if (bytes > 0) {
      const isSame = version?.etag !== undefined && version.etag === next.etag;
      const reason = version?.etag === undefined ? 'the file has no strong ETag' : 'the file has changed';
      this.#emit({ type: 'restart', reason: isSame ? 'the origin does not support ranges' : reason });
    }
    this.#ownDigest = undefined;
    this.#grownTo = undefined;
    await this.#to.begin(next);
    this.#startOver = false;
  }

  async #save(reply: Reply): Promise<void> {
    const to = this.#to;
    const { size = 0, etag } = to.version ?? {};
    let position = to.contiguousBytes;
    this.#originDigest = digestOf(reply);
    this.#modified = modifiedOf(reply);
    this.#noteGrowth(reply);
    this.#emit({ type: 'reply', size, offset: position, etag });
    this.#emit({ type: 'phase', phase: 'downloading' });
    this.inBody = true;
    const save = async (chunk: Buffer): Promise<void> => {
      await to.write(chunk, position);
      position += chunk.length;
      this.#received += chunk.length;
      this.#emit({ type: 'progress', bytes: to.bytes, size });
    };
    await this.#read(reply, this.#throttle?.slowed(save, this.#signal) ?? save);
    this.inBody = false;
  }

  /** Reads the body, and reports silence of the sender. */
  async #read(reply: Reply, save: Sink): Promise<void> {
    let isSaving = false;
    const endWatch = watchSilence(this.#location, {
      received: () => (isSaving ? undefined : this.#received),
      onSilence: (answeredHop) => this.#emit({ type: 'silence', answeredHop }),
      maxHops: this.#options.maxHops,
      proxy: this.#options.proxy,
      plain: this.#options.plain,
      encryption: this.#options.encryption,
      signal: this.#signal,
    });
    try {
      await reply.read(async (chunk) => {
        isSaving = true;
        await save(chunk);
        isSaving = false;
      });
    } finally {
      endWatch();
    }
  }

  /** Compares the SHA-256 of what was saved with that of the origin. A damaged file is removed. */
  async #verify(): Promise<string> {
    this.#emit({ type: 'phase', phase: 'verifying' });
    this.#ownDigest ??= this.#to.digest();
    this.#ownDigest.catch(() => {}); // Handled below, unless another error comes first.
    const expected = (this.#originDigest ??= await this.#fetchDigest());
    const own = await unlessAborted(this.#ownDigest, this.#signal);
    if (own === expected) return own;
    // Not only grown or renamed: its bytes have changed too.
    if (this.#grownTo !== undefined && this.#to.restartable)
      throw this.#origin.error('CHANGED', 'has another version of the file by now');
    await this.#to.discard();
    const what = `reports SHA-256 ${hex(expected)}, but the received file has ${hex(own)}`;
    const isGone = this.#to.restartable;
    throw this.#origin.error('DIGEST_MISMATCH', isGone ? what : `${what}; the output is damaged`);
  }

  /** @throws ViaductError UNVERIFIED if the origin no longer serves the file; as {@link OriginFile.digest} */
  async #fetchDigest(): Promise<string> {
    try {
      const { digest, reply } = await this.#origin.digest(this.#to.version);
      this.#modified = modifiedOf(reply);
      this.#noteGrowth(reply);
      return digest;
    } catch (error) {
      if (!isMissing(error)) throw error;
      const { hopAddress, hopNumber } = error;
      const message = `${error.message}; all of the file was received, but can no longer be verified`;
      throw new ViaductError('UNVERIFIED', message, { hopAddress, hopNumber, cause: error });
    }
  }

  #noteGrowth(reply: Reply): void {
    this.#grownTo = grownTo(reply) ?? this.#grownTo;
  }

  /** Confirms the version of a complete file by its ETag; one that the origin no longer serves is accepted. */
  async #confirm(): Promise<void> {
    try {
      this.#modified = modifiedOf(await this.#origin.confirm(this.#to.version));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** The file has another version. @throws ViaductError CHANGED if it has changed too often */
  #noteChange(): void {
    if (!this.#attempts.change()) throw this.#keepsChanging();
  }

  #keepsChanging(cause?: ViaductError): ViaductError {
    const what = `has yet another version of the file: it changed ${this.#attempts.changes} times during the download`;
    return this.#origin.error('CHANGED', what, cause);
  }

  /** Waits before the next attempt. @throws the error, if there is no further attempt */
  async #prepareRetry(error: ViaductError): Promise<void> {
    this.#signal.throwIfAborted();
    const { bytes, restartable } = this.#to;
    if (error.code === 'CHANGED' && restartable) {
      if (this.#options.retries === 0) throw error;
      this.#noteChange();
      this.#startOver = true;
      this.#originDigest = undefined;
      return;
    }
    // Failures before the first reply usually mean a wrong route.
    const { inTree, retryConnect } = this.#options;
    if (!error.transient || !(this.#hasReply || inTree || retryConnect)) throw error;
    const retry = this.#attempts.next(bytes);
    if (retry === undefined)
      throw error.code === 'CUT_SHORT' && this.#attempts.restartsAgain ? this.#keepsChanging(error) : error;
    this.#emit({ type: 'retry', ...retry, error });
    this.#emit({ type: 'phase', phase: 'waiting' });
    await pause(retry.pauseMs, this.#signal);
  }
}

/** The origin no longer serves the file. */
function isMissing(error: unknown): error is ViaductError {
  return error instanceof ViaductError && (error.code === 'NOT_FOUND' || error.code === 'FORBIDDEN');
}
