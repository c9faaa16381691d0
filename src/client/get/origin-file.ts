import { type ViaductError, asViaductError } from '../../errors.js';
import type { Version } from '../../files/version.js';
import type { Location } from '../../route/location.js';
import type { Field } from '../../wire/http/head.js';
import {
  changed,
  checkRest,
  digestOf,
  originError,
  rangeFrom,
  retryAfterMs,
  versionOf,
} from '../http/file-reply.js';
import { type FileParts, PART_DIGESTS, parsePartDigests } from '../../wire/http/part-digests.js';
import { newTraceId, traceparent } from '../../wire/http/trace-context.js';
import type { Reply } from '../http/reply.js';
import { type RequestOptions, request } from '../http/request.js';
import { checkArchive } from './archive.js';
import { pause } from './retry.js';

/** The longest pause before a digest is requested again; a longer `Retry-After` is cut to this. */
const DIGEST_PAUSE_MS = 10_000;

/** Timeout for a digest: this long, plus the time that a slow disk needs to read the file. */
const DIGEST_TIMEOUT_MS = 60_000;
const DIGEST_BYTES_PER_MS = 10_000;

/** Of 4,096 parts, in JSON. */
const PART_DIGESTS_BYTES = 256 * 1024;

/** Without these, a reply could carry another form of the file, or no digest. */
export const IDENTITY: Field = ['Accept-Encoding', 'identity'];
export const WANT_DIGEST: Field = ['Want-Repr-Digest', 'sha-256=10'];

/** Asks for the file as it was in this version, if it has only grown or was renamed since. The digest shows whether it is so. */
function evenIfGrown(etag: string | undefined): Field[] {
  return etag === undefined ? [] : [['Viaduct-Version', etag]];
}

export type OriginFileOptions = Pick<
  RequestOptions,
  | 'timeoutMs'
  | 'connectTimeoutMs'
  | 'maxHops'
  | 'proxy'
  | 'receiveBuffer'
  | 'plain'
  | 'encryption'
  | 'sessions'
  | 'onSend'
>;

/** The requests for one file at its origin. */
export class OriginFile {
  readonly #location: Location;
  readonly #options: OriginFileOptions;
  readonly #signal: AbortSignal;
  /** Of all its requests; nodes log it. */
  readonly traceId: string;

  constructor(location: Location, options: OriginFileOptions, signal: AbortSignal, traceId = newTraceId()) {
    this.traceId = traceId;
    this.#location = location;
    this.#options = options;
    this.#signal = signal;
  }

  /**
   * Requests the file.
   * @param wantDigest ask for its SHA-256
   * @param resume request only the rest of this version, from `start`
   * @returns a 206 reply with exactly that rest, or a 200 reply with the whole file
   * @throws ViaductError as {@link request}; CHANGED, BAD_REPLY; NO_DIGEST before anything is transferred; HTTP_ERROR
   *   for another status
   */
  async get(
    wantDigest: boolean,
    resume?: { readonly version: Version; readonly etag: string; readonly start: number },
  ): Promise<Reply> {
    const fields = [
      IDENTITY,
      ...(wantDigest ? [WANT_DIGEST, ...evenIfGrown(resume?.etag)] : []),
      ...(resume ? rangeFrom(resume.start, resume.etag) : []),
    ];
    const reply = await this.#request('GET', fields).catch((error: unknown) => {
      // The version that we know has bytes at `start`, so this is another version.
      const known = asViaductError(error);
      throw resume && known.code === 'RANGE_NOT_SATISFIABLE' ? changed(this.#location) : known;
    });
    try {
      if (reply.status === 206 && resume) checkRest(reply, resume.version, resume.start, this.#location);
      else if (reply.status !== 200) throw this.#unexpectedStatus(reply);
      checkArchive(reply, this.#location);
      if (this.#isListing(reply, wantDigest)) throw this.#isFolder();
      // An origin that has yet to compute it says so.
      if (wantDigest && digestOf(reply) === undefined && reply.field('retry-after') === undefined)
        throw this.#noDigest();
      return reply;
    } catch (error) {
      reply.close();
      throw error;
    }
  }

  /** The version in a 200 reply. @throws ViaductError BAD_REPLY */
  versionOf(reply: Reply): Version {
    return versionOf(reply, this.#location);
  }

  /** The head of the file as it is now. @throws ViaductError as {@link request}; HTTP_ERROR for another status */
  async describe(fields: readonly Field[] = []): Promise<Reply> {
    const reply = await this.#request('HEAD', [...fields, IDENTITY]);
    reply.close();
    if (reply.status !== 200) throw this.#unexpectedStatus(reply);
    return reply;
  }

  /** Checks that the file at the origin is still this version. @throws ViaductError CHANGED */
  async confirm(version: Version | undefined, fields: readonly Field[] = []): Promise<Reply> {
    const reply = await this.describe(fields);
    const { size, etag } = versionOf(reply, this.#location);
    if (size !== version?.size || etag !== version.etag) throw changed(this.#location);
    return reply;
  }

  /**
   * Waits until the origin reports the SHA-256 of this version: it computes it during the transfer, and may need more
   * time than that.
   * @returns the digest as base64, and the reply that contains it
   * @throws ViaductError CHANGED, NO_DIGEST, TIMEOUT
   */
  async digest(version: Version | undefined): Promise<{ digest: string; reply: Reply }> {
    const timeoutMs = DIGEST_TIMEOUT_MS + (version?.size ?? 0) / DIGEST_BYTES_PER_MS;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const reply = await this.confirm(version, [WANT_DIGEST, ...evenIfGrown(version?.etag)]);
      const digest = digestOf(reply);
      if (digest !== undefined) return { digest, reply };
      const after = reply.field('retry-after');
      if (after === undefined) throw this.#noDigest();
      if (performance.now() > deadline)
        throw this.error(
          'TIMEOUT',
          `timed out: it did not report the SHA-256 within ${Math.round(timeoutMs / 1000)} s`,
        );
      await pause(Math.min(retryAfterMs(after), DIGEST_PAUSE_MS), this.#signal);
    }
  }

  /**
   * The SHA-256 of the parts of this version.
   * @throws ViaductError as {@link request}; PRECONDITION_FAILED if it is another version by now, BAD_REPLY if it has none
   */
  async partDigests({ etag, size }: Version): Promise<FileParts> {
    const fields: Field[] = [
      [PART_DIGESTS, 'sha-256'],
      ...(etag === undefined ? [] : [['If-Match', etag] as const]),
    ];
    const reply = await this.#request('GET', fields);
    try {
      if (reply.status !== 200 || reply.field('content-type') !== 'application/json')
        throw this.error('BAD_REPLY', 'does not report the SHA-256 of parts');
      const timeoutMs = DIGEST_TIMEOUT_MS + size / DIGEST_BYTES_PER_MS;
      return parsePartDigests((await reply.bytes(PART_DIGESTS_BYTES, timeoutMs)).toString(), size);
    } catch (error) {
      reply.close();
      throw error;
    }
  }

  /** An error of the last hop; `what` follows its name. */
  error(code: ViaductError['code'], what: string, cause?: unknown, hint?: string): ViaductError {
    return originError(this.#location, code, what, cause, hint);
  }

  #noDigest(): ViaductError {
    return this.error('NO_DIGEST', 'does not report the SHA-256');
  }

  /** A folder's listing has no SHA-256, and mostly no length; a file of a web server may be at such a path too. */
  #isListing(reply: Reply, wantDigest: boolean): boolean {
    if (!this.#location.path.endsWith('/')) return false;
    const hasDigest = digestOf(reply) !== undefined || reply.field('retry-after') !== undefined;
    return reply.field('content-length') === undefined || (wantDigest && !hasDigest);
  }

  #isFolder(): ViaductError {
    return this.error('HTTP_ERROR', 'reports that this is a folder; use -r to fetch it');
  }

  #request(method: 'GET' | 'HEAD', fields: readonly Field[]): Promise<Reply> {
    const traced = [...fields, traceparent(this.traceId)];
    return request(this.#location, { ...this.#options, method, fields: traced, signal: this.#signal });
  }

  #unexpectedStatus(reply: Reply): ViaductError {
    const target = reply.field('location');
    if (reply.status === 301 && target?.endsWith('/') === true) return this.#isFolder();
    return this.error('HTTP_ERROR', `answered with status ${reply.status}`);
  }
}
