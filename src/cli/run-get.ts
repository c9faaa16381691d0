import { targetNameOf, get } from '../client/get.js';
import { asViaductError } from '../errors.js';
import { fileReport } from './get-report.js';
import { listenForInterruption } from './interruption.js';
import { standardOutput } from './standard-output.js';
import { type WhereOptions, locationFrom } from './where.js';

/** As the command line gives them; times in ms. */
export interface GetCommandOptions extends WhereOptions {
  readonly output?: string;
  readonly retry: number;
  readonly verify: boolean;
  /** False for `--no-clobber`. */
  readonly clobber: boolean;
  /** Bytes a second. */
  readonly limitRate?: number;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly maxTime?: number;
  readonly maxHops: number;
  readonly plain?: true;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly json?: true;
}

/** Fetches the file at a location. Returns the exit code. */
export async function runGet(where: string | undefined, options: GetCommandOptions): Promise<number> {
  const location = await locationFrom(where, options);
  const toStdout = options.output === '-';
  const target = options.output ?? targetNameOf(location);
  const interruption = listenForInterruption('');
  const report = fileReport(toStdout ? targetNameOf(location) : target, { ...options, toStdout });
  try {
    const result = await get(location, toStdout ? standardOutput() : target, {
      retries: options.retry,
      verify: options.verify,
      noClobber: !options.clobber,
      limitRate: options.limitRate,
      timeoutMs: options.timeout,
      connectTimeoutMs: options.connectTimeout,
      maxTimeMs: options.maxTime,
      maxHops: options.maxHops,
      signal: interruption.signal,
      onEvent: report.event,
    });
    report.complete(result);
    return 0;
  } catch (error) {
    return interruption.exitCode(report.failed(asViaductError(error)));
  }
}
