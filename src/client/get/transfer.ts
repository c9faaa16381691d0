import { type ViaductError, asViaductError } from '../../errors.js';
import { RETRIES } from '../../defaults.js';
import { hex } from '../../text.js';
import type { Field } from '../../wire/http/head.js';
import type { Destination } from '../../files/destination.js';
import {
  changed,
  checkRest,
  digestOf,
  modifiedOf,
  originError,
  rangeFrom,
  retryAfterMs,
  versionOf,
} from '../http/file-reply.js';
import type { GetEvent } from './events.js';
import type { Location } from '../../route/location.js';
import type { Reply } from '../http/reply.js';
import { type RequestOptions, request } from '../http/request.js';
import { pause, pauseBefore, unlessAborted } from './retry.js';
import { Throttle } from './throttle.js';

/** An origin says by `Retry-After` when to ask for a digest again; never later than this. */
const DIGEST_ASK_MS = 10_000;

/** How long a digest is waited for: this long, and as long as a slow disk takes to read the file. */
const DIGEST_PATIENCE_MS = 60_000;
const DIGEST_BYTES_PER_MS = 10_000;

export interface TransferOptions extends Pick<RequestOptions, 'timeoutMs' | 'connectTimeoutMs' | 'maxHops'> {
  /** A failure without progress is tried again so often in a row; 0: nothing is. @default 5 */
  readonly retries?: number | undefined;
  /** Compare the SHA-256 with the origin's. @default true */
  readonly verify?: boolean | undefined;
  /** Bytes a second. @default no limit */
  readonly limitRate?: number | undefined;
  /**
   * The file is one of a folder that is fetched: the route is known to work, so that what fails before the
   * first reply is tried again too; a link in its place is not followed; it gets its time at the origin.
   * @default false
   */
  readonly inTree?: boolean | undefined;
  readonly onEvent?: ((event: GetEvent) => void) | undefined;
}

/** What a transfer was. */
export interface Transferred {
  /** Size of the file. */
  readonly size: number;
  /** Bytes that came over the route, in all attempts. */
  readonly received: number;
  /** SHA-256 as base64, compared with the origin's; undefined without verification. */
  readonly sha256: string | undefined;
  /** When it was changed at its origin, if that tells. */
  readonly modified: Date | undefined;
}

const DIGEST_WANTED: Field = ['Want-Repr-Digest', 'sha-256=10'];

/** Brings one file to one destination: attempts, one after the other, until it is there and verified. */
export class Transfer {
  readonly #location: Location;
  readonly #to: Destination;
  readonly #options: TransferOptions;
  readonly #signal: AbortSignal;
  readonly #throttle: Throttle | undefined;
  /** The most that was ever there of this version: more than that is progress. */
  #best: number;
  #withoutProgress = 0;
  #received = 0;
  /** What is there is not to be gone on with. */
  #startOver = false;
  /** The file's bytes were being read. */
  inBody = false;
  /** Our own digest of what is there. */
  #own: Promise<string> | undefined;
  #modified: Date | undefined;
  /** The origin's, if a reply told it. */
  #theirs: string | undefined;

  constructor(location: Location, to: Destination, options: TransferOptions, signal: AbortSignal) {
    this.#location = location;
    this.#to = to;
    this.#options = options;
    this.#signal = signal;
    this.#best = to.bytes;
    if (options.limitRate !== undefined) this.#throttle = new Throttle(options.limitRate);
  }

  /** @throws ViaductError of {@link request}, CHANGED, DIGEST_MISMATCH, NO_DIGEST, WRITE_FAILED */
  async run(): Promise<Transferred> {
    for (;;) {
      try {
        await this.#fetch();
        const sha256 = this.#options.verify === false ? undefined : await this.#verify();
        return { size: this.#to.bytes, received: this.#received, sha256, modified: this.#modified };
      } catch (error) {
        await this.#recover(asViaductError(error));
      }
    }
  }

  #tell(event: GetEvent): void {
    this.#options.onEvent?.(event);
  }

  #request(method: 'GET' | 'HEAD', fields: readonly Field[]): Promise<Reply> {
    const receiveBuffer = this.#throttle?.receiveBuffer;
    return request(this.#location, { ...this.#options, method, fields, receiveBuffer, signal: this.#signal });
  }

  /** Asks for what is missing, and takes it to its end. */
  async #fetch(): Promise<void> {
    const { version, bytes } = this.#to;
    if (version !== undefined && bytes === version.size && !this.#startOver) {
      if (this.#options.verify === false) await this.#confirm();
      return;
    }
    const resumes = bytes > 0 && version?.etag !== undefined && !this.#startOver;
    this.inBody = false;
    this.#tell({ type: 'phase', phase: 'connecting' });
    const reply = await this.#request('GET', [
      ['Accept-Encoding', 'identity'],
      ...(this.#options.verify === false ? [] : [DIGEST_WANTED]),
      ...(resumes ? rangeFrom(bytes, version.etag) : []),
    ]).catch((error: unknown) => {
      // The version that we know has bytes there, so it is another one.
      const known = asViaductError(error);
      throw resumes && known.code === 'RANGE_NOT_SATISFIABLE' ? changed(this.#location) : known;
    });
    try {
      if (reply.status === 206 && resumes) checkRest(reply, version, bytes, this.#location);
      else await this.#begin(reply);
      await this.#take(reply);
    } catch (error) {
      reply.close();
      throw error;
    }
  }

  /** A reply with the whole file. */
  async #begin(reply: Reply): Promise<void> {
    if (reply.status !== 200) throw this.#unexpected(reply);
    const { version, bytes } = this.#to;
    const next = versionOf(reply, this.#location);
    if (bytes > 0) {
      const same = version?.etag !== undefined && version.etag === next.etag;
      const reason = version?.etag === undefined ? 'it has no strong ETag' : 'the file has changed';
      this.#tell({ type: 'restart', reason: same ? 'the origin does not send parts' : reason });
    }
    this.#own = undefined;
    if (next.etag !== undefined && next.etag !== version?.etag) this.#best = 0;
    await this.#to.begin(next);
    this.#startOver = false;
  }

  async #take(reply: Reply): Promise<void> {
    const to = this.#to;
    const { size = 0, etag } = to.version ?? {};
    this.#theirs = digestOf(reply);
    this.#modified = modifiedOf(reply);
    this.#tell({ type: 'reply', size, offset: to.bytes, etag });
    this.#tell({ type: 'phase', phase: 'downloading' });
    this.inBody = true;
    const take = async (chunk: Buffer): Promise<void> => {
      await to.write(chunk);
      this.#received += chunk.length;
      this.#tell({ type: 'progress', bytes: to.bytes, size });
    };
    await reply.read(this.#throttle?.slowed(take, this.#signal) ?? take);
    this.inBody = false;
  }

  #unexpected(reply: Reply): ViaductError {
    const where = reply.field('location');
    if (reply.status === 301 && where?.endsWith('/') === true)
      return originError(this.#location, 'HTTP_ERROR', 'says that it is a folder; -r fetches all of it');
    return originError(this.#location, 'HTTP_ERROR', `answered with status ${reply.status}`);
  }

  /** Compares digests. What is damaged is removed. */
  async #verify(): Promise<string> {
    this.#tell({ type: 'phase', phase: 'verifying' });
    this.#own ??= this.#to.digest();
    this.#own.catch(() => {}); // Awaited below, or of no use any more.
    const theirs = (this.#theirs ??= await this.#askDigest());
    const own = await unlessAborted(this.#own, this.#signal);
    if (own === theirs) return own;
    const kept = this.#to.restartable;
    await this.#to.discard();
    const what = `has SHA-256 ${hex(theirs)}, but ${hex(own)} came`;
    throw originError(
      this.#location,
      'DIGEST_MISMATCH',
      kept ? what : `${what}: what was written is damaged`,
    );
  }

  /** Asks whether what is there is the file still. @throws ViaductError CHANGED */
  async #confirm(fields: readonly Field[] = []): Promise<Reply> {
    const reply = await this.#request('HEAD', [...fields, ['Accept-Encoding', 'identity']]);
    reply.close();
    if (reply.status !== 200) throw this.#unexpected(reply);
    this.#modified = modifiedOf(reply);
    const { size, etag } = versionOf(reply, this.#location);
    const { version } = this.#to;
    if (size !== version?.size || etag !== version.etag) throw changed(this.#location);
    return reply;
  }

  /** The origin hashes beside the transfer, and may need some time more. */
  async #askDigest(): Promise<string> {
    const { size = 0 } = this.#to.version ?? {};
    const patienceMs = DIGEST_PATIENCE_MS + size / DIGEST_BYTES_PER_MS;
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const reply = await this.#confirm([DIGEST_WANTED]);
      const digest = digestOf(reply);
      if (digest !== undefined) return digest;
      const after = reply.field('retry-after');
      if (after === undefined) throw originError(this.#location, 'NO_DIGEST', 'does not tell the SHA-256');
      if (performance.now() > deadline) {
        const limit = `${Math.round(patienceMs / 1000)} s`;
        throw originError(this.#location, 'TIMEOUT', `did not tell the SHA-256 within ${limit}`);
      }
      await pause(Math.min(retryAfterMs(after), DIGEST_ASK_MS), this.#signal);
    }
  }

  /** Waits for the next attempt. @throws the error, if there is to be none */
  async #recover(error: ViaductError): Promise<void> {
    this.#signal.throwIfAborted();
    const { bytes, version, restartable } = this.#to;
    const retries = this.#options.retries ?? RETRIES;
    const isChange = error.code === 'CHANGED' && restartable;
    if (bytes > this.#best && !isChange) {
      this.#best = bytes;
      this.#withoutProgress = 0;
    } else this.#withoutProgress += 1;
    // Before there is anything of a file, nothing is broken yet: a wrong route is told at once.
    const isUnderWay = version !== undefined || this.#options.inTree === true;
    const mayPass = isChange || (error.transient && isUnderWay);
    if (!mayPass || retries === 0 || this.#withoutProgress > retries) throw error;
    if (isChange) {
      this.#startOver = true;
      this.#theirs = undefined;
      return;
    }
    const pauseMs = pauseBefore(this.#withoutProgress);
    this.#tell({ type: 'retry', attempt: this.#withoutProgress, pauseMs, error });
    this.#tell({ type: 'phase', phase: 'waiting' });
    await pause(pauseMs, this.#signal);
  }
}
