import type { RequestOptions } from '../http/request.js';
import type { SessionOptions } from '../http/encryption.js';
import type { GetEvent } from './events.js';
import type { RetryOptions } from './retry.js';
import type { Throttle } from './throttle.js';

/** Options of a download. */
export interface GetOptions
  extends
    Pick<RequestOptions, 'timeoutMs' | 'connectTimeoutMs' | 'maxHops' | 'proxy' | 'plain' | 'encryption'>,
    RetryOptions {
  /** Compare the SHA-256 with that of the origin. @default true */
  readonly verify?: boolean | undefined;
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
  /** SHA-256 in hexadecimal, equal to that of the origin; undefined without verification. */
  readonly sha256: string | undefined;
  /** Modification time at the origin; undefined if the origin does not report it. */
  readonly modified: Date | undefined;
}
