import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type ErrorCode, type ViaductError, asViaductError } from '../../errors.js';
import { hex } from '../../text.js';
import type { Location } from '../../route/location.js';
import { newTraceId, traceparent } from '../../wire/http/trace-context.js';
import type { Field } from '../../wire/http/head.js';
import { IDENTITY, OriginFile, WANT_DIGEST } from '../get/origin-file.js';
import { RetryLimit, pauseUnless } from '../get/retry.js';
import { asUnverified } from '../get/verification.js';
import { changed, checkPart, digestOf, originError } from '../http/file-reply.js';
import type { Reply } from '../http/reply.js';
import { type RequestOptions, request } from '../http/request.js';
import { forwardedFields, mayBeWhole, passedFields } from './fields.js';
import { type FilePart, isWhole, partFields, partOf } from './file-part.js';
import type { LocalReply } from './local-reply.js';
import type { GatewayOptions } from './options.js';
import type { RouteWatch } from './route-watch.js';
import type { Transfer } from './transfers.js';

/** The end of a file that a client gets once the SHA-256 has been compared. */
const HELD_BYTES = 16 * 1024;

/** What a request for the rest of a file fails with if the file has changed. */
const OF_ANOTHER_VERSION: ReadonlySet<ErrorCode> = new Set(['PRECONDITION_FAILED', 'RANGE_NOT_SATISFIABLE']);

export interface PassageOptions extends GatewayOptions, Pick<RequestOptions, 'sessions'> {
  readonly watch: RouteWatch;
}

/**
 * Answers one request of a local client from the origin. A reply that breaks off goes on from the byte where it broke, with
 * the same version of the file. Bytes that go on to the client cannot be taken back, so the end of a whole file is held until
 * its SHA-256 has been compared.
 */
export class Passage {
  readonly #location: Location;
  readonly #options: PassageOptions;
  readonly #to: LocalReply;
  readonly #transfer: Transfer;
  readonly #traceId = newTraceId();
  readonly #limit: RetryLimit;
  /** Undefined for what cannot go on after a break. */
  #part: FilePart | undefined;
  /** Of the reply, whether sent on or held. */
  #received = 0;
  #bestReceived = 0;
  #held: Buffer = Buffer.alloc(0);
  #hash: ReturnType<typeof createHash> | undefined;
  #ownDigest: string | undefined;
  #originDigest: string | undefined;

  constructor(location: Location, to: LocalReply, transfer: Transfer, options: PassageOptions) {
    this.#location = location;
    this.#to = to;
    this.#transfer = transfer;
    this.#options = options;
    this.#limit = new RetryLimit(options);
  }

  /**
   * @throws ViaductError as {@link request}; CUT_SHORT, TIMEOUT, CHANGED and others once the reply has begun;
   *   DIGEST_MISMATCH, UNVERIFIED; the reason of the reply's signal
   */
  async run(local: IncomingMessage): Promise<void> {
    const { method } = this.#transfer;
    const wantsDigest = method === 'GET' && this.#options.verify !== false && mayBeWhole(local);
    const reply = await this.#request(method, [
      ...forwardedFields(local),
      IDENTITY,
      ...(wantsDigest ? [WANT_DIGEST] : []),
    ]);
    this.#options.watch.worked();
    this.#begin(reply);
    if (method === 'HEAD' || reply.length === 0) reply.close();
    else await this.#body(reply);
    this.#to.end();
  }

  /** SHA-256 of the whole file in base64, equal to that of the origin; undefined if it was not compared. */
  get digest(): string | undefined {
    return this.#ownDigest;
  }

  /** @throws ViaductError HTTP_ERROR for a status that no file and no folder has */
  #begin(reply: Reply): void {
    const { status } = reply;
    const { method } = this.#transfer;
    if (![200, 204, 206, 301, 304].includes(status)) {
      reply.close();
      throw originError(this.#location, 'HTTP_ERROR', `answered with status ${status}`);
    }
    const fields = passedFields(reply, this.#location.path);
    // From a node it means the folder of that name, wherever else it may lead.
    if (status === 301) fields.push(['Location', withSlash(this.#location.path)]);
    this.#part = method === 'GET' ? partOf(reply) : undefined;
    this.#originDigest = digestOf(reply);
    const canVerify = this.#originDigest !== undefined || reply.field('retry-after') !== undefined;
    if (this.#part !== undefined && isWhole(this.#part) && canVerify && this.#options.verify !== false)
      this.#hash = createHash('sha256');
    this.#to.begin(status, fields);
    this.#transfer.replied(status, method === 'HEAD' ? 0 : reply.length, this.#traceId);
  }

  async #body(first: Reply): Promise<void> {
    let reply: Reply | undefined = first;
    for (;;) {
      try {
        if (this.#part === undefined || this.#received < sizeOf(this.#part)) {
          reply ??= await this.#rest();
          await this.#receive(reply);
        }
        await this.#verify();
        if (this.#held.length > 0) await this.#send(this.#held);
        return;
      } catch (error) {
        reply?.close();
        reply = undefined;
        await this.#recover(asViaductError(error));
      }
    }
  }

  /** Requests what is missing. */
  async #rest(): Promise<Reply> {
    const part = this.#part;
    if (part === undefined) throw new Error('only a part of a file goes on');
    const { version, range } = part;
    const missing = { version, range: { start: range.start + this.#received, end: range.end } };
    const reply = await this.#request('GET', partFields(missing)).catch((error: unknown) => {
      const isOther = OF_ANOTHER_VERSION.has(asViaductError(error).code);
      throw isOther ? changed(this.#location) : error;
    });
    try {
      checkPart(reply, version, missing.range, this.#location);
    } catch (error) {
      reply.close();
      throw error;
    }
    this.#options.watch.worked();
    this.#transfer.resumed();
    return reply;
  }

  #receive(reply: Reply): Promise<void> {
    const freeBytes = this.#hash === undefined ? Infinity : sizeOf(this.#part) - HELD_BYTES;
    return reply.read(async (chunk) => {
      const free = Math.max(0, Math.min(chunk.length, freeBytes - this.#received));
      // The client reads while the chunk is hashed.
      const sent = free > 0 ? this.#send(chunk.subarray(0, free)) : undefined;
      this.#hash?.update(chunk);
      if (free < chunk.length) this.#held = Buffer.concat([this.#held, chunk.subarray(free)]);
      this.#received += chunk.length;
      await sent;
    });
  }

  async #send(chunk: Buffer): Promise<void> {
    await this.#to.write(chunk);
    this.#transfer.sent(chunk.length);
  }

  async #verify(): Promise<void> {
    if (this.#hash === undefined || this.#part === undefined) return;
    this.#transfer.state = 'checking';
    const own = (this.#ownDigest ??= this.#hash.digest('base64'));
    const expected = (this.#originDigest ??= await this.#fetchDigest(this.#part));
    if (own === expected) return;
    const what = `reports SHA-256 ${hex(expected)}, but the received file has ${hex(own)}`;
    throw originError(this.#location, 'DIGEST_MISMATCH', what);
  }

  async #fetchDigest({ version }: FilePart): Promise<string> {
    const file = new OriginFile(this.#location, this.#options, this.#to.signal, this.#traceId);
    try {
      return (await file.digest(version)).digest;
    } catch (error) {
      throw asUnverified(error);
    }
  }

  /** Waits until the route may work again. @throws the error, if the reply cannot go on */
  async #recover(error: ViaductError): Promise<void> {
    const { signal } = this.#to;
    signal.throwIfAborted();
    const { watch } = this.#options;
    if (this.#part === undefined || !error.transient) throw error;
    const retry = this.#limit.next(this.#received > this.#bestReceived);
    this.#bestReceived = this.#received;
    watch.failed(error);
    if (retry === undefined) {
      // In a tunnel the client sees only that no more bytes come.
      await watch.refresh();
      throw watch.failure ?? error;
    }
    this.#transfer.interrupted(retry, error);
    await pauseUnless(watch.recovery(), retry.pauseMs, signal);
  }

  #request(method: 'GET' | 'HEAD', fields: readonly Field[]): Promise<Reply> {
    const { signal } = this.#to;
    const traced = [...fields, traceparent(this.#traceId)];
    return request(this.#location, { ...this.#options, method, fields: traced, signal });
  }
}

function sizeOf(part: FilePart | undefined): number {
  return part === undefined ? Infinity : part.range.end - part.range.start;
}

/** The folder's path relative to that without the slash. */
function withSlash(path: string): string {
  const [, name = '', query = ''] = /([^/?]*)(\?.*)?$/s.exec(path) ?? [];
  return `./${name}/${query}`;
}
