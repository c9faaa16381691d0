import type { ViaductError } from '../../errors.js';

/** What a download is doing. */
export type GetPhase = 'connecting' | 'downloading' | 'verifying' | 'waiting';

/** What a download tells while it runs. `viaduct get --json` prints them (docs/get-events.md). */
export type GetEvent =
  | { readonly type: 'phase'; readonly phase: GetPhase }
  /** A reply has come: the file's size, and how much of it is there already. */
  | {
      readonly type: 'reply';
      readonly size: number;
      readonly offset: number;
      readonly etag: string | undefined;
    }
  | { readonly type: 'progress'; readonly bytes: number; readonly size: number }
  /** An attempt failed; the next one begins after the pause. `attempt` counts those in a row without progress. */
  | {
      readonly type: 'retry';
      readonly attempt: number;
      readonly pauseMs: number;
      readonly error: ViaductError;
    }
  /** What was there of the file is dropped. */
  | { readonly type: 'restart'; readonly reason: string }
  /** The download has failed, and a later one can go on with what there is. */
  | { readonly type: 'kept'; readonly path: string; readonly bytes: number; readonly size: number };
