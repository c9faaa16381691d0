import type { Version } from '../../../files/version.js';
import type { Location } from '../../../route/location.js';
import type { Field, ReplyHead } from '../../../wire/http/head.js';
import { checkPart } from '../../http/file-reply.js';
import type { PipelinedRequest } from '../../http/pipeline.js';
import { IDENTITY } from '../origin-file.js';
import type { Claim, PartQueue } from './queue.js';

/** Writes bytes of the file; one call after the other. */
export type WritePart = (piece: Buffer, position: number) => Promise<void>;

/** Another connection has taken the rest of a part over. */
export class TakenOver extends Error {}

/** A part of a file, asked for over a pipeline and written as it comes. */
export class PartRequest implements PipelinedRequest {
  readonly path: string;
  readonly fields: readonly Field[];
  readonly #location: Location;
  readonly #version: Version;
  readonly #queue: PartQueue;
  readonly #claim: Claim;
  readonly #write: WritePart;
  readonly #range: { readonly start: number; readonly end: number };

  constructor(
    location: Location,
    version: Version,
    { queue, claim, write, traced }: { queue: PartQueue; claim: Claim; write: WritePart; traced: Field },
  ) {
    this.#location = location;
    this.#version = version;
    this.#queue = queue;
    this.#claim = claim;
    this.#write = write;
    this.#range = { start: claim.at, end: claim.end };
    this.path = location.path;
    this.fields = [
      IDENTITY,
      ['Range', `bytes=${claim.at}-${claim.end - 1}`],
      // Another version is refused, not sent.
      ['If-Match', version.etag ?? ''],
      traced,
    ];
  }

  readonly onHead = (head: ReplyHead, length?: number): void => {
    checkPart({ ...head, length }, this.#version, this.#range, this.#location);
    this.#queue.begun(this.#claim);
  };

  readonly onBody = async (piece: Buffer): Promise<void> => {
    const claim = this.#claim;
    const wanted = piece.subarray(0, Math.max(0, claim.left));
    if (wanted.length > 0) {
      await this.#write(wanted, claim.at);
      this.#queue.wrote(claim, wanted.length);
    }
    if (wanted.length < piece.length) throw new TakenOver();
  };
}
