import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { type ViaductError, asViaductError } from '../../errors.js';
import { visible } from '../../text.js';
import { encodeSegment, nameOfPath } from '../../route/url.js';
import type { Location } from '../../route/location.js';
import { type Entry, omittedText } from '../../wire/http/listing.js';
import { pathForFile } from '../../files/folder.js';
import { safeName } from '../../files/safe-name.js';
import { writeError } from '../../files/write-error.js';
import { originError } from '../http/file-reply.js';
import { targetNameOf } from '../save-name.js';
import { type Listing, packedListing } from './folder-listing.js';
import { leftOutError } from './archive.js';
import { getFile } from './get.js';
import { type JobStack, once } from './job-stack.js';
import { LocalFolder } from './local-folder.js';
import type {
  FileListener,
  GetAllOptions,
  GetItem,
  GetResult,
  GetSummary,
  SharedOptions,
} from './options.js';
import { RetryLimit, pause } from './retry.js';
import { Prefetch } from './prefetch.js';
import { folderOf } from './source.js';

/** Folders inside each other: a listing that never ends must not fill the disk. */
const TREE_DEPTH = 100;

type ItemOptions = GetAllOptions & Pick<SharedOptions, 'throttle' | 'sessions'>;

/** Fetches one item. */
export class ItemDownload {
  readonly #options: ItemOptions;
  readonly #jobs: JobStack;
  readonly #summary: GetSummary;
  /** Aborted when the route is broken: ends the running downloads of the item and drops the waiting ones. */
  readonly #broken = new AbortController();
  readonly #signal: AbortSignal;
  #prefetch: Prefetch | undefined;
  /** The names of checksums are relative to this path. */
  #base = '';
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

  run({ location, target, recursive, base }: GetItem): Promise<void> {
    this.#base = base ?? folderOf(location.path);
    if (!recursive) return this.#file(location, target);
    this.#prefetch = this.#prefetchAt(location);
    if (location.path.endsWith('/')) return this.#folder(location, target, 0);
    const path = `${location.path}/`;
    this.#base = base ?? path;
    const asFile = (): Promise<void> => {
      this.#base = base ?? folderOf(location.path);
      return this.#topFile(location, target);
    };
    return this.#folder({ ...location, path }, target, 0, asFile);
  }

  /** Undefined if all is fetched the usual way. */
  #prefetchAt(location: Location): Prefetch | undefined {
    const { sessions, encryption, throttle, noClobber } = this.#options;
    if (noClobber === true || throttle !== undefined) return undefined;
    if (sessions === undefined || encryption === undefined) return undefined;
    return new Prefetch(location, { ...this.#options, sessions, encryption, signal: this.#signal });
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
      await this.#enter(location, target, depth, await this.#list(location, target));
    } catch (error) {
      const known = asViaductError(error);
      if (known.code === 'NOT_FOUND' && otherwise !== undefined) return otherwise();
      this.#failed(target, known);
    }
  }

  /** The same for a folder in it: its listing may be asked for ahead. */
  async #subFolder(location: Location, target: string, depth: number): Promise<void> {
    if (depth > TREE_DEPTH)
      return this.#failed(
        target,
        writeError(target, `folders are nested more than ${TREE_DEPTH} levels deep`),
      );
    const begun = await this.#prefetch?.listing(location);
    if (begun === undefined) return this.#folder(location, target, depth);
    const end = async (): Promise<void> => {
      const listing = await begun.ended;
      if (listing === undefined) this.#jobs.push(once(() => this.#folder(location, target, depth)));
      else if (!this.#signal.aborted)
        await this.#enter(location, target, depth, this.#complained(listing, location, target)).catch(
          (error: unknown) => this.#failed(target, asViaductError(error)),
        );
    };
    this.#jobs.alongside(end());
  }

  /** Creates the folder that a listing is of; what is in it are further jobs. */
  async #enter(location: Location, target: string, depth: number, listing: Listing): Promise<void> {
    const { entries, files, bytes } = listing;
    const folder = await LocalFolder.create(target, depth === 0);
    this.#options.onFound?.(files, bytes);
    this.#jobs.push(() => {
      const entry = this.#signal.aborted ? undefined : entries.shift();
      return entry && (() => this.#entry(location, folder, entry, depth));
    });
  }

  async #entry(location: Location, folder: LocalFolder, entry: Entry, depth: number): Promise<void> {
    const { checksums, noClobber = false } = this.#options;
    const path = location.path + encodeSegment(entry.name);
    let name: string;
    let sha256: string | undefined;
    try {
      name = safeName(entry.name);
      if (entry.kind === 'file') sha256 = checksums?.of(this.#nameOf(path));
    } catch (error) {
      return this.#failed(join(folder.path, visible(entry.name)), asViaductError(error));
    }
    const target = join(folder.path, name);
    if (entry.kind === 'folder') await this.#subFolder({ ...location, path: `${path}/` }, target, depth + 1);
    else if (await folder.isUpToDate(target, entry, noClobber, sha256)) this.#summary.skipped += 1;
    else if (!(await this.#prefetched({ ...location, path }, target, entry.size, sha256)))
      await this.#file({ ...location, path }, target, true);
  }

  /** As a checksum file has it. */
  #nameOf(path: string): string {
    return nameOfPath(path.slice(this.#base.length));
  }

  /** Begins to fetch a file over a pipeline; false if that is not possible. */
  async #prefetched(
    location: Location,
    target: string,
    size: number,
    sha256: string | undefined,
  ): Promise<boolean> {
    if (this.#signal.aborted) return true;
    const asked = await this.#prefetch?.file(location, target, size, sha256);
    if (asked === undefined) return false;
    const end = async (): Promise<void> => {
      const { result, listener } = await asked.ended;
      if (result !== undefined && listener !== undefined) this.#complete(result, listener);
      else this.#jobs.push(once(() => this.#file(location, target, true, listener)));
    };
    this.#jobs.alongside(end());
    return true;
  }

  #complete(result: GetResult, listener: FileListener): void {
    this.#summary.files += 1;
    this.#summary.received += result.received;
    listener.complete(result);
  }

  /** @param inTree it is a file of a folder */
  async #file(location: Location, target: string, inTree = false, begun?: FileListener): Promise<void> {
    // What has begun is not left without an end.
    if (this.#signal.aborted && begun === undefined) return;
    const listener = begun ?? this.#options.onFile(target);
    try {
      const result = await getFile(location, target, {
        ...this.#options,
        signal: this.#signal,
        inTree,
        sha256: this.#options.checksums?.of(this.#nameOf(location.path)),
        onEvent: listener.event,
      });
      this.#prefetch?.resume();
      this.#complete(result, listener);
      const error = leftOutError(result, location);
      if (error !== undefined) this.#failed(target, error);
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
        this.#prefetch?.resume();
        return this.#complained(listing, location, target);
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

  /** Reports what the folder has and the node does not list. */
  #complained(listing: Listing, location: Location, target: string): Listing {
    const text = omittedText(listing.omitted);
    if (text !== '')
      this.#failed(target, originError(location, 'FORBIDDEN', `does not serve all of the folder: ${text}`));
    return listing;
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
