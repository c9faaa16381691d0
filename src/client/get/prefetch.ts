import pLimit from 'p-limit';
import { asViaductError } from '../../errors.js';
import { SMALL_FILE_BYTES, TRANSFERS } from '../../defaults.js';
import type { Location } from '../../route/location.js';
import type { Encryption } from '../http/encryption.js';
import type { PipelinedRequest } from '../http/pipeline.js';
import { Pipelines, type SentRequest } from '../http/pipelines.js';
import type { Sessions } from '../http/sessions.js';
import { type Listing, ListingRequest } from './folder-listing.js';
import type { FileListener, GetAllOptions, GetResult } from './options.js';
import { SmallFile } from './small-file.js';

/** A head comes with each reply. */
const REPLY_HEAD_BYTES = 1024;

/** Files that are saved at the same time: each is open meanwhile. */
const SAVED_AT_ONCE = 16;

/** Listings that are awaited or being read, and what one may have: that of a thousand names. */
const LISTINGS_AHEAD = 16;
const LISTING_BYTES = 64 * 1024;

/** What became of a file that was asked for. */
export interface PrefetchedFile {
  /** Undefined if it has to be fetched the usual way, which goes on after failures and knows what to say of them. */
  readonly result?: GetResult;
  /** If its reply had begun. */
  readonly listener?: FileListener | undefined;
}

/** Work that was begun and is never rejected. */
export interface Begun<T> {
  readonly ended: Promise<T>;
}

export interface PrefetchOptions extends GetAllOptions {
  readonly encryption: Encryption;
  readonly sessions: Sessions;
  readonly signal: AbortSignal;
}

/**
 * Fetches the small files and the listings of a folder: requests are sent ahead on few connections, and replies are dealt
 * with as they come. Whatever fails is left to the usual way.
 */
export class Prefetch {
  readonly #options: PrefetchOptions;
  readonly #pipelines: Pipelines;
  readonly #saving = pLimit(SAVED_AT_ONCE);
  /** A connection has failed: until something was fetched the usual way, all is. */
  #isSuspended = false;
  /** The origin is no node, or no tunnel leads to it. */
  #isImpossible = false;
  #listings = 0;

  /** @param location of anything at the origin */
  constructor({ route, scheme = 'http' }: Location, options: PrefetchOptions) {
    this.#options = options;
    const { transfers = TRANSFERS } = options;
    this.#pipelines = new Pipelines(route, scheme, { ...options, connections: transfers });
  }

  /** Something was fetched the usual way. */
  resume(): void {
    this.#isSuspended = false;
  }

  /**
   * Asks for a file, when there is room.
   * @param size as the listing has it
   * @param sha256 that it must have
   * @returns undefined if it cannot be fetched so, now or ever
   */
  async file(
    location: Location,
    target: string,
    size: number,
    sha256: string | undefined,
  ): Promise<Begun<PrefetchedFile> | undefined> {
    if (size > SMALL_FILE_BYTES) return undefined;
    const file = new SmallFile(location, target, { ...this.#options, sha256 });
    const save = async (): Promise<PrefetchedFile> => {
      const result = await this.#saving(() => file.save());
      return { result, listener: file.listener };
    };
    return this.#begun(file, size + REPLY_HEAD_BYTES, save, file);
  }

  /**
   * Asks for a listing, when there is room.
   * @returns undefined if it cannot be fetched so, now or ever; `ended` with undefined if it was not
   */
  async listing(location: Location): Promise<Begun<Listing | undefined> | undefined> {
    if (this.#listings >= LISTINGS_AHEAD) return undefined;
    this.#listings += 1;
    const request = new ListingRequest(location);
    const begun = await this.#begun(request, LISTING_BYTES, async () => request.end(), undefined);
    const ended = async (): Promise<Listing | undefined> => {
      const listing = await begun?.ended;
      this.#listings -= 1;
      return listing;
    };
    const end = ended();
    return begun && { ended: end };
  }

  /** @param otherwise the result if it fails */
  async #begun<T>(
    request: PipelinedRequest,
    bytes: number,
    end: () => Promise<T>,
    otherwise: T,
  ): Promise<Begun<T> | undefined> {
    if (this.#isSuspended || this.#isImpossible) return undefined;
    let sent: SentRequest;
    try {
      sent = await this.#pipelines.send(request, bytes);
    } catch (error) {
      this.#isSuspended = true;
      this.#isImpossible = !asViaductError(error).transient;
      return undefined;
    }
    return { ended: this.#end(sent, end, otherwise) };
  }

  async #end<T>({ replied, release }: SentRequest, end: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      await replied.catch((error: unknown) => {
        this.#isSuspended = true;
        throw error;
      });
      return await end();
    } catch {
      return otherwise;
    } finally {
      release();
    }
  }
}
