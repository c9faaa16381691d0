import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { type ViaductError, asViaductError } from '../../errors.js';
import { TRANSFERS } from '../../defaults.js';
import { visible } from '../../text.js';
import { encodeSegment } from '../../route/url.js';
import type { Location } from '../../route/location.js';
import { type Entry, omittedText } from '../../wire/http/listing.js';
import { pathForFile } from '../../files/folder.js';
import { safeName } from '../../files/safe-name.js';
import { writeError } from '../../files/write-error.js';
import { originError } from '../http/file-reply.js';
import { withSessions } from '../http/encryption.js';
import { targetNameOf } from '../save-name.js';
import { type Listing, packedListing } from './folder-listing.js';
import { getFile } from './get.js';
import type { GetEvent, RetryEvent } from './events.js';
import type { GetOptions, GetResult, SharedOptions } from './options.js';
import { JobStack } from './job-stack.js';
import { LocalFolder } from './local-folder.js';
import { RetryLimit, pause } from './retry.js';
import { Throttle } from './throttle.js';

/** Folders inside each other: a listing that never ends must not fill the disk. */
const TREE_DEPTH = 100;

/** One thing to fetch: a file, which is saved as a file, or a folder with everything in it. */
export interface GetItem {
  readonly location: Location;
  /** With `recursive`, a path that ends with `/` is a folder: a file is saved in it under its own name. */
  readonly target: string;
  /** Fetch a whole folder. If `location.path` does not end with `/`, it may also be a file. */
  readonly recursive: boolean;
}

/** Receives what happens to one file. */
export interface FileListener {
  readonly event: (event: GetEvent) => void;
  complete(result: GetResult): void;
  failed(error: ViaductError): void;
}

export interface GetAllOptions extends Omit<GetOptions, 'onEvent' | 'limitRate'> {
  /** Bytes per second, all files together. @default no limit */
  readonly limitRate?: number | undefined;
  /** Files and listings that are fetched at the same time. @default 4 */
  readonly transfers?: number | undefined;
  /** A file starts, or fails before it starts; `target` is the path under which it is saved. */
  readonly onFile: (target: string) => FileListener;
  /** A listing was read: the number of files in it, and their total size in bytes. */
  readonly onFound?: ((files: number, bytes: number) => void) | undefined;
  /** A listing failed and is requested again after the pause; `target` is the path of the folder. */
  readonly onListingRetry?: ((target: string, retry: RetryEvent) => void) | undefined;
}

/** The result of {@link getAll}. */
export interface GetSummary {
  /** Files that were fetched. */
  files: number;
  /** Bytes that were received over the route. */
  received: number;
  /** Files of a folder that already existed with the same size and time. */
  skipped: number;
  failures: number;
  firstFailure: ViaductError | undefined;
}

/**
 * Fetches files and whole folders, several files at the same time. A failed file is reported and skipped; but if the
 * route itself is broken, nothing more is fetched over it.
 * @throws the reason of the signal, if no file was reported as failed because of it
 */
export function getAll(items: readonly GetItem[], options: GetAllOptions): Promise<GetSummary> {
  return withSessions(options, (shared) => getItems(items, shared));
}

async function getItems(items: readonly GetItem[], options: GetAllOptions): Promise<GetSummary> {
  const summary: GetSummary = { files: 0, received: 0, skipped: 0, failures: 0, firstFailure: undefined };
  const { transfers = TRANSFERS, limitRate } = options;
  const throttle = limitRate === undefined ? undefined : new Throttle(limitRate, transfers);
  const jobs = new JobStack();
  const waiting = items.values();
  jobs.push(() => {
    const { value: item } = waiting.next();
    return item && (() => new ItemDownload({ ...options, throttle }, jobs, summary).run(item));
  });
  await jobs.run(transfers);
  if (summary.failures === 0) options.signal?.throwIfAborted();
  return summary;
}

type ItemOptions = GetAllOptions & Pick<SharedOptions, 'throttle'>;

/** Fetches one item. */
class ItemDownload {
  readonly #options: ItemOptions;
  readonly #jobs: JobStack;
  readonly #summary: GetSummary;
  /** Aborted when the route is broken: ends the running downloads of the item and drops the waiting ones. */
  readonly #broken = new AbortController();
  readonly #signal: AbortSignal;
  /** A listing was received, so the route works. */
  #routeWorks = false;

  /** @param jobs and `summary` are shared by all items */
  constructor(options: ItemOptions, jobs: JobStack, summary: GetSummary) {
    this.#options = options;
    this.#jobs = jobs;
    this.#summary = summary;
    const signals = options.signal ? [options.signal, this.#broken.signal] : [this.#broken.signal];
    this.#signal = AbortSignal.any(signals);
    // Each running download adds listeners and removes them. Node warns about more than 10.
    setMaxListeners(0, this.#signal);
  }

  run({ location, target, recursive }: GetItem): Promise<void> {
    if (!recursive) return this.#file(location, target);
    if (location.path.endsWith('/')) return this.#folder(location, target, 0);
    const asFile = (): Promise<void> => this.#topFile(location, target);
    return this.#folder({ ...location, path: `${location.path}/` }, target, 0, asFile);
  }

  /** What was requested as a folder is a file. */
  async #topFile(location: Location, target: string): Promise<void> {
    let path = target;
    try {
      if (target.endsWith('/')) path = await pathForFile(target, () => targetNameOf(location));
    } catch (error) {
      return this.#failed(target, asViaductError(error));
    }
    return this.#file(location, path);
  }

  /**
   * Reads the listing and creates the folder; what is in it are further jobs.
   * @param otherwise called if there is no such folder
   */
  async #folder(
    location: Location,
    target: string,
    depth: number,
    otherwise?: () => Promise<void>,
  ): Promise<void> {
    if (this.#signal.aborted) return;
    try {
      if (depth > TREE_DEPTH)
        throw writeError(target, `folders are nested more than ${TREE_DEPTH} levels deep`);
      const { entries, files, bytes } = await this.#list(location, target);
      const folder = await LocalFolder.create(target, depth === 0);
      this.#options.onFound?.(files, bytes);
      this.#jobs.push(() => {
        const entry = this.#signal.aborted ? undefined : entries.shift();
        return entry && (() => this.#entry(location, folder, entry, depth));
      });
    } catch (error) {
      const known = asViaductError(error);
      if (known.code === 'NOT_FOUND' && otherwise !== undefined) return otherwise();
      this.#failed(target, known);
    }
  }

  async #entry(location: Location, folder: LocalFolder, entry: Entry, depth: number): Promise<void> {
    let name: string;
    try {
      name = safeName(entry.name);
    } catch (error) {
      return this.#failed(join(folder.path, visible(entry.name)), asViaductError(error));
    }
    const target = join(folder.path, name);
    const path = location.path + encodeSegment(entry.name);
    if (entry.kind === 'folder') await this.#folder({ ...location, path: `${path}/` }, target, depth + 1);
    else if (await folder.isUpToDate(target, entry, this.#options.noClobber === true))
      this.#summary.skipped += 1;
    else await this.#file({ ...location, path }, target, true);
  }

  /** @param inTree it is a file of a folder */
  async #file(location: Location, target: string, inTree = false): Promise<void> {
    if (this.#signal.aborted) return;
    const listener = this.#options.onFile(target);
    try {
      const result = await getFile(location, target, {
        ...this.#options,
        signal: this.#signal,
        inTree,
        onEvent: listener.event,
      });
      this.#summary.files += 1;
      this.#summary.received += result.received;
      listener.complete(result);
    } catch (error) {
      this.#failed(target, asViaductError(error), listener);
    }
  }

  /** Reads a listing. A broken connection is retried, but not before the first listing: the route may be wrong. */
  async #list(location: Location, target: string): Promise<Listing> {
    const limit = new RetryLimit(this.#options);
    for (;;) {
      try {
        const listing = await packedListing(location, { ...this.#options, signal: this.#signal });
        this.#routeWorks = true;
        const text = omittedText(listing.omitted);
        if (text !== '')
          this.#failed(
            target,
            originError(location, 'FORBIDDEN', `does not serve all of the folder: ${text}`),
          );
        return listing;
      } catch (error) {
        const known = asViaductError(error);
        const isRetryable = this.#routeWorks || this.#options.retryConnect === true;
        const retry = known.transient && isRetryable ? limit.next(false) : undefined;
        if (retry === undefined) throw known;
        this.#options.onListingRetry?.(target, { ...retry, error: known });
        await pause(retry.pauseMs, this.#signal);
      }
    }
  }

  #failed(target: string, error: ViaductError, listener?: FileListener): void {
    // Downloads that end because the route is broken are not reported one by one.
    if (this.#broken.signal.aborted) return;
    this.#summary.failures += 1;
    this.#summary.firstFailure ??= error;
    if (error.transient) this.#broken.abort(error);
    (listener ?? this.#options.onFile(target)).failed(error);
  }
}
