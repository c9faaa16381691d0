import type { FileListener, GetSummary } from '../../client/get/options.js';
import type { RetryEvent } from '../../client/get/events.js';
import type { ViaductError } from '../../errors.js';
import type { SharedTerminal } from '../encryption.js';

/** Reports the progress and the result of downloads. */
export interface GetReport extends SharedTerminal {
  /** A file starts; `name` is its local name. */
  file(name: string): FileListener;
  /** More files were found. */
  found(files: number, bytes: number): void;
  /** The listing of a folder failed and is requested again. */
  listingRetry(name: string, retry: RetryEvent): void;
  /** The whole command failed before or between files. Returns the exit code. */
  failed(error: ViaductError): number;
  /** All files have ended. Reports the totals if they are given. */
  close(totals: GetSummary | undefined): void;
}

export interface ReportOptions {
  readonly quiet?: true;
  readonly verbose?: true;
  readonly retryConnect?: true;
  /** The bytes of the file go to standard output, so that nothing else may be printed there. */
  readonly toStdout: boolean;
  /** There may be several files: each line begins with a file name. */
  readonly several: boolean;
  /** Whole folders are fetched: one line reports all files. */
  readonly recursive?: true | undefined;
  /** Archives of folders are fetched, which have no SHA-256. */
  readonly tar?: true;
  readonly plain?: true | undefined;
}
