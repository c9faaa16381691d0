import type { ViaductError } from '../../errors.js';
import type { Retry } from './retry.js';

/** The current activity of a download. */
export type GetPhase = 'connecting' | 'downloading' | 'verifying' | 'waiting';

/** What one route to a file has brought. */
interface RouteProgress {
  /** Without the token of a link. */
  readonly location: string;
  readonly connections: number;
  readonly bytes: number;
}

/** A failed attempt, and when the next one starts. */
export type RetryEvent = Retry & { readonly error: ViaductError };

/** What happens during a download. `viaduct get --json` prints these events (docs/get-events.md). */
export type GetEvent =
  | { readonly type: 'phase'; readonly phase: GetPhase }
  /** The download starts. All its requests have this trace ID, which the log of every hop contains (W3C Trace Context). */
  | { readonly type: 'trace'; readonly traceId: string }
  /** A reply was received: the size of the file, and the position at which the reply starts. */
  | {
      readonly type: 'reply';
      readonly size: number;
      readonly offset: number;
      readonly etag: string | undefined;
    }
  /** `bytes` of the file were saved so far, over all attempts. */
  | { readonly type: 'progress'; readonly bytes: number; readonly size: number }
  /**
   * No data for two seconds, or during such a silence a hop has answered a probe: `answeredHop` is the number of the
   * last one that did so far, 0 for none.
   */
  | { readonly type: 'silence'; readonly answeredHop: number }
  /** Every second while several connections bring the file: what each route has brought so far, and over how many. */
  | { readonly type: 'routes'; readonly routes: readonly RouteProgress[] }
  /** A route to the file has failed; others go on. */
  | { readonly type: 'route-failed'; readonly location: string; readonly error: ViaductError }
  /** So many bytes of the file were damaged on the way, and are fetched again. */
  | { readonly type: 'damaged'; readonly bytes: number; readonly size: number }
  /** An attempt failed; the next one starts after the pause. */
  | (RetryEvent & { readonly type: 'retry' })
  /** The bytes that were saved so far are dropped. */
  | { readonly type: 'restart'; readonly reason: string }
  /** The file has grown to `size` bytes since the download began; its first `bytes` were fetched. */
  | { readonly type: 'grown'; readonly bytes: number; readonly size: number }
  /** The download failed; a later one can resume from the partial file at `path`. */
  | { readonly type: 'kept'; readonly path: string; readonly bytes: number; readonly size: number };
