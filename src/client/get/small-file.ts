import { createHash } from 'node:crypto';
import { ViaductError } from '../../errors.js';
import { SMALL_FILE_BYTES } from '../../defaults.js';
import { hex } from '../../text.js';
import type { Location } from '../../route/location.js';
import { saveSmall } from '../../files/save-small.js';
import type { Version } from '../../files/version.js';
import { newTraceId, traceparent } from '../../wire/http/trace-context.js';
import type { Field, ReplyHead } from '../../wire/http/head.js';
import { digestOf, modifiedOf, versionOf } from '../http/file-reply.js';
import type { PipelinedRequest } from '../http/pipeline.js';
import type { FileListener } from './options.js';
import { IDENTITY, WANT_DIGEST } from './origin-file.js';
import type { GetResult } from './options.js';

export interface SmallFileOptions {
  readonly verify?: boolean | undefined;
  readonly sha256?: string | undefined;
  readonly onFile: (target: string) => FileListener;
}

/** A file that is fetched by one request of a pipeline, verified in memory and saved. */
export class SmallFile implements PipelinedRequest {
  readonly path: string;
  readonly fields: readonly Field[];
  /** Set when its reply begins. */
  listener: FileListener | undefined;
  readonly #location: Location;
  readonly #target: string;
  readonly #verify: boolean;
  readonly #expected: string | undefined;
  readonly #onFile: (target: string) => FileListener;
  readonly #traceId = newTraceId();
  #head: ReplyHead | undefined;
  #version: Version | undefined;
  #pieces: Buffer[] = [];

  constructor(location: Location, target: string, { verify = true, sha256, onFile }: SmallFileOptions) {
    this.#location = location;
    this.#target = target;
    this.#verify = verify;
    this.#expected = sha256;
    this.#onFile = onFile;
    this.path = location.path;
    this.fields = [IDENTITY, ...(verify ? [WANT_DIGEST] : []), traceparent(this.#traceId)];
  }

  readonly onHead = (head: ReplyHead, length = Infinity): void => {
    // A long one would hold up all behind it.
    if (length > SMALL_FILE_BYTES) throw this.#unfit('is no longer small');
    if (head.status !== 200 || (this.#verify && digestOf(head) === undefined)) return;
    this.#head = head;
    this.#version = versionOf(head, this.#location);
    this.listener = this.#onFile(this.#target);
    const { size, etag } = this.#version;
    this.listener.event({ type: 'phase', phase: 'connecting' });
    this.listener.event({ type: 'trace', traceId: this.#traceId });
    this.listener.event({ type: 'reply', size, offset: 0, etag });
    this.listener.event({ type: 'phase', phase: 'downloading' });
  };

  readonly onBody = (piece: Buffer): void => {
    this.#pieces.push(Buffer.from(piece));
  };

  /**
   * Verifies and saves it, after its reply has come whole.
   * @throws ViaductError if it has to be fetched the usual way
   */
  async save(): Promise<GetResult> {
    const { listener } = this;
    const head = this.#head;
    if (listener === undefined || head === undefined) throw this.#unfit('was not sent as a small file');
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    listener.event({ type: 'progress', bytes: bytes.length, size: bytes.length });
    let sha256: string | undefined;
    if (this.#verify || this.#expected !== undefined) {
      listener.event({ type: 'phase', phase: 'verifying' });
      const digest = createHash('sha256').update(bytes).digest('base64');
      if (this.#verify && digest !== digestOf(head)) {
        listener.event({ type: 'restart', reason: 'its SHA-256 is not the one that the origin reports' });
        throw this.#unfit('is damaged');
      }
      sha256 = hex(digest);
      if (sha256 !== (this.#expected ?? sha256)) throw this.#unfit('is not the expected file');
    }
    const modified = modifiedOf(head);
    if (!(await saveSmall(this.#target, bytes, modified))) throw this.#unfit('cannot be saved at once');
    return { size: bytes.length, received: bytes.length, sha256, modified };
  }

  /** Seen by nobody. */
  #unfit(what: string): ViaductError {
    return new ViaductError('CUT_SHORT', `${this.path} ${what}`);
  }
}
