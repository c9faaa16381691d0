import type { ViaductError } from '../../errors.js';
import type { ArchiveKind, LeftOut } from '../../wire/http/archive.js';
import type { Location } from '../../route/location.js';
import type { RequestOptions } from '../http/request.js';
import type { SessionOptions } from '../http/encryption.js';
import type { GetEvent, RetryEvent } from './events.js';
import type { RetryOptions } from './retry.js';
import type { Throttle } from './throttle.js';

/** Options of a download. */
export interface GetOptions
  extends
    Pick<RequestOptions, 'timeoutMs' | 'connectTimeoutMs' | 'maxHops' | 'proxy' | 'plain' | 'encryption'>,
    RetryOptions {
  /** Compare the SHA-256 with that of the origin. @default true */
  readonly verify?: boolean | undefined;
  /** The SHA-256 in hexadecimal, in lower case, that the file must have, also with `verify: false`. @default none */
  readonly sha256?: string | undefined;
  /**
   * Fetch the folder at the location as one file of this format. It has no SHA-256: TLS protects it, so with `plain` it needs
   * `verify: false`. Of no use with a recursive item.
   * @default none
   */
  readonly archive?: ArchiveKind | undefined;
  /** Connections on each route that fetch parts of the file; 1 for none. @default as many as are worth it, at most 16 */
  readonly segments?: number | undefined;
  /** Other routes to the same file, which is fetched over all of them. @default none */
  readonly also?: readonly Location[] | undefined;
  /** Bytes per second. @default no limit */
  readonly limitRate?: number | undefined;
  /** Fail instead of replacing an existing file. @default false */
  readonly noClobber?: boolean | undefined;
  /** Ends the download; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: GetEvent) => void) | undefined;
}

/** Options that `getAll` hands to each of its downloads. */
export interface SharedOptions extends GetOptions, SessionOptions {
  /** Limits the rate of all downloads together; instead of `limitRate`. */
  readonly throttle?: Throttle | undefined;
  /**
   * The file is part of a folder that is fetched: the route is known to work, so failures before the first reply are
   * retried too; a symbolic link in its place is refused.
   * @default false
   */
  readonly inTree?: boolean | undefined;
}

/** The result of a download. */
export interface GetResult {
  /** Size of the file, in bytes. */
  readonly size: number;
  /** Bytes that were received over the route, in all attempts. */
  readonly received: number;
  /** SHA-256 in hexadecimal, equal to that of the origin or to the one that was asked for; undefined if nothing was compared. */
  readonly sha256: string | undefined;
  /** Modification time at the origin; undefined if the origin does not report it. */
  readonly modified: Date | undefined;
  /** What the archive of a folder leaves out. */
  readonly leftOut?: LeftOut | undefined;
}

/** One thing to fetch: a file, which is saved as a file, or a folder with everything in it. */
export interface GetItem {
  readonly location: Location;
  /**
   * With `checksums`, the path of a folder, with `/` at its end, that their names are relative to.
   * @default that of the file; with `recursive` the folder
   */
  readonly base?: string | undefined;
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

export interface GetAllOptions extends Omit<GetOptions, 'onEvent' | 'limitRate' | 'sha256'> {
  /**
   * The SHA-256 that each file must have, by its name: of a file in a folder that is fetched, its path below that folder.
   * Existing files are skipped only if they have it. `of` throws if a file has none.
   * @default none
   */
  readonly checksums?: { readonly of: (name: string) => string } | undefined;
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
