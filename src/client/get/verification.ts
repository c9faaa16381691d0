import { ViaductError } from '../../errors.js';
import { hex } from '../../text.js';
import type { Destination } from '../../files/destination.js';
import { type LeftOut, leftOutOf } from '../../wire/http/archive.js';
import type { ReplyHead } from '../../wire/http/head.js';
import { digestOf, grownTo, modifiedOf } from '../http/file-reply.js';
import type { GetOptions } from './options.js';
import type { OriginFile } from './origin-file.js';
import { unlessAborted } from './retry.js';

/** What the origin says of a file, and whether what was saved is that. */
export class Verification {
  readonly #to: Destination;
  readonly #signal: AbortSignal;
  /** Whether the origin is asked for its SHA-256. */
  readonly asks: boolean;
  readonly #sha256: string | undefined;
  /** The SHA-256 of what was saved, while or after it is computed. */
  #ownDigest: Promise<string> | undefined;
  /** The SHA-256 that the origin reported, and the modification time. */
  #originDigest: string | undefined;
  modified: Date | undefined;
  /** The size of the file by now, if it has grown, or was only renamed, since its version was determined. */
  grownTo: number | undefined;
  /** What an archive leaves out. */
  leftOut: LeftOut | undefined;

  constructor(
    to: Destination,
    { verify = true, sha256 }: Pick<GetOptions, 'verify' | 'sha256'>,
    signal: AbortSignal,
  ) {
    this.#to = to;
    this.asks = verify;
    this.#sha256 = sha256;
    this.#signal = signal;
  }

  /** Whether anything is compared. */
  get isNeeded(): boolean {
    return this.asks || this.#sha256 !== undefined;
  }

  /** A reply with bytes of the file. */
  replied(reply: ReplyHead): void {
    this.#originDigest = digestOf(reply);
    this.#note(reply);
  }

  /** Another version begins, or the same once more. */
  restart(): undefined {
    this.#ownDigest = undefined;
    this.grownTo = undefined;
  }

  /** There is another version by now. */
  changed(): void {
    this.#originDigest = undefined;
  }

  /**
   * Compares the SHA-256 of what was saved with that of the origin, and with the one that was asked for. A damaged file is
   * removed, unless it can be repaired.
   * @throws ViaductError DIGEST_MISMATCH; CHANGED; UNVERIFIED if the origin no longer serves the file; as
   *   {@link OriginFile.digest}
   * @param repair drops what is damaged of the file, if that can be told from the rest
   * @returns undefined if it was damaged, and only that is to be fetched again
   */
  async verify(origin: OriginFile, repair: () => Promise<boolean>): Promise<string | undefined> {
    this.#ownDigest ??= this.#to.digest();
    this.#ownDigest.catch(() => {}); // Handled below, unless another error comes first.
    const expected = this.asks ? (this.#originDigest ??= await this.#fetchDigest(origin)) : undefined;
    const own = await unlessAborted(this.#ownDigest, this.#signal);
    if (expected === undefined || own === expected) return this.#asked(own, origin);
    // Not only grown or renamed: its bytes have changed too.
    if (this.grownTo !== undefined && this.#to.restartable)
      throw origin.error('CHANGED', 'has another version of the file by now');
    if (await repair()) return this.restart();
    await this.#to.discard();
    const what = `reports SHA-256 ${hex(expected)}, but the received file has ${hex(own)}`;
    const isGone = this.#to.restartable;
    throw origin.error('DIGEST_MISMATCH', isGone ? what : `${what}; the output is damaged`);
  }

  async #asked(own: string, origin: OriginFile): Promise<string> {
    if (this.#sha256 === undefined || hex(own) === this.#sha256) return own;
    await this.#to.discard();
    throw origin.error(
      'DIGEST_MISMATCH',
      `sent a file with SHA-256 ${hex(own)}, not ${this.#sha256}`,
      undefined,
      `the file at the origin is not the one that you expect${this.#to.restartable ? '; nothing was kept' : ''}`,
    );
  }

  /** Confirms the version of a complete file by its ETag; one that the origin no longer serves is accepted. */
  async confirm(origin: OriginFile): Promise<void> {
    try {
      this.#note(await origin.confirm(this.#to.version));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async #fetchDigest(origin: OriginFile): Promise<string> {
    try {
      const { digest, reply } = await origin.digest(this.#to.version);
      this.#note(reply);
      return digest;
    } catch (error) {
      throw asUnverified(error);
    }
  }

  #note(reply: ReplyHead): void {
    this.modified = modifiedOf(reply);
    this.grownTo = grownTo(reply) ?? this.grownTo;
    this.leftOut = leftOutOf(reply);
  }
}

/** The error after a request for the digest of a file that was received. */
export function asUnverified(error: unknown): unknown {
  if (!isMissing(error)) return error;
  const { hopAddress, hopNumber } = error;
  const message = `${error.message}; all of the file was received, but can no longer be verified`;
  return new ViaductError('UNVERIFIED', message, { hopAddress, hopNumber, cause: error });
}

/** The origin no longer serves the file. */
function isMissing(error: unknown): error is ViaductError {
  return error instanceof ViaductError && (error.code === 'NOT_FOUND' || error.code === 'FORBIDDEN');
}
