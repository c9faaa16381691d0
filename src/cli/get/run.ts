import { leftOutError } from '../../client/get/archive.js';
import { getAll } from '../../client/get/get-all.js';
import { get } from '../../client/get/get.js';
import type { GetItem, GetOptions } from '../../client/get/options.js';
import { withSessions } from '../../client/http/encryption.js';
import { targetNameOf } from '../../client/save-name.js';
import type { Checksums } from '../../files/checksum-file.js';
import type { Location } from '../../route/location.js';
import { withoutLink } from '../../route/share-link.js';
import { ViaductError, asViaductError } from '../../errors.js';
import { yieldsTo } from '../config/ranks.js';
import { encryptionFrom } from '../encryption.js';
import type { CommandContext } from '../context.js';
import { outcomeOf } from '../exit-codes.js';
import type { WhereOrPattern } from '../where.js';
import { proxyFrom } from '../proxy.js';
import { JsonReport } from './json-report.js';
import type { GetReport } from './report.js';
import { TextReport } from './text-report.js';
import { listenForInterruption } from '../terminal/interruption.js';
import { standardOutput } from '../terminal/standard-output.js';
import type { GetCommandOptions } from './options.js';
import { checksumsFrom } from './checksums.js';
import { itemsFor, matched, otherRoutes, wantedFrom } from './items.js';

/** Fetches the files and folders that the locations name. Returns the exit code. */
export async function runGet(
  wheres: readonly string[],
  given: GetCommandOptions,
  context: CommandContext,
): Promise<number> {
  const options = withoutWeaker(given);
  const toStdout = options.output === '-';
  // Standard output may be for the bytes of the file.
  const jsonOutput = toStdout ? context.stderr : context.stdout;
  let wanted: readonly WhereOrPattern[];
  let also: readonly Location[];
  let known: readonly GetItem[] | undefined;
  let readChecksums: (settings: GetOptions) => Promise<Checksums | undefined>;
  let isOne: boolean;
  try {
    if (toStdout && options.recursive) throw new ViaductError('USAGE', '-o - accepts no folders (-r)');
    also = await otherRoutes(wheres, options);
    wanted = await wantedFrom(wheres, options, context);
    const hasPattern = wanted.some(isPattern);
    isOne = wanted.length === 1 && !hasPattern;
    readChecksums = await checksumsFrom(options, context);
    if (!hasPattern) known = await itemsFor(wanted, isOne, options);
  } catch (error) {
    if (options.json) return new JsonReport(jsonOutput).failed(asViaductError(error));
    throw error;
  }
  const several = !isOne || options.recursive === true;
  const report = options.json
    ? new JsonReport(jsonOutput)
    : new TextReport({ ...options, toStdout, several }, context);
  const interruption = listenForInterruption('');
  const trustContext = {
    pin: wanted[0]?.pin,
    scheme: wanted.every(({ scheme }) => scheme === 'https') ? ('https' as const) : ('http' as const),
    signal: interruption.signal,
    terminal: report,
  };
  const settingsFor = async (): Promise<GetOptions> => ({
    ...(await encryptionFrom(options, context, trustContext)),
    retries: options.retry,
    retryTimeMs: options.retryTime,
    retryConnect: options.retryConnect,
    verify: options.verify,
    noClobber: !options.clobber,
    archive: options.tar && 'tar',
    segments: options.segments,
    also,
    limitRate: options.limitRate,
    timeoutMs: options.timeout,
    connectTimeoutMs: options.connectTimeout,
    maxHops: options.maxHops,
    proxy: proxyFrom(options),
    signal: withTimeout(interruption.signal, options.maxTime),
  });
  try {
    const exit = await withSessions(await settingsFor(), async (first) => {
      const checksums = await readChecksums(first);
      const items =
        known ??
        (await itemsFor(
          await matched(wanted, first, options.recursive === true || options.tar === true),
          isOne,
          options,
        ));
      // The listings have come, so the routes work.
      const settings = wanted.every(isPattern) ? { ...first, retryConnect: true } : first;
      if (toStdout) return toStandardOutput(items, settings, checksums, report, context);
      const totals = await getAll(items, {
        ...settings,
        checksums,
        transfers: options.transfers,
        onFile: (target) => report.file(target),
        onFound: (files, bytes) => report.found(files, bytes),
        onListingRetry: (target, retry) => report.listingRetry(target, retry),
      });
      report.close(several ? totals : undefined);
      return totals.firstFailure === undefined ? 0 : outcomeOf(totals.firstFailure).exit;
    });
    return interruption.exitCode(exit);
  } catch (error) {
    return interruption.exitCode(report.failed(asViaductError(error)));
  }
}

/** Leaves out what excludes options of stronger sources. */
function withoutWeaker(options: GetCommandOptions): GetCommandOptions {
  const { recursive, output, via, also } = options;
  const forOne = [
    ...(output === '-' ? ['output'] : []),
    ...(via === undefined ? [] : ['via']),
    ...(also === undefined ? [] : ['also']),
  ];
  if (recursive !== true) return options;
  if (forOne.some((name) => yieldsTo(options, 'recursive', name)))
    return { ...options, recursive: undefined };
  return output === '-' && yieldsTo(options, 'output', 'recursive')
    ? { ...options, output: undefined }
    : options;
}

async function toStandardOutput(
  items: readonly GetItem[],
  settings: GetOptions,
  checksums: Checksums | undefined,
  report: GetReport,
  { stdout }: CommandContext,
): Promise<number> {
  const { archive } = settings;
  const names = items.map(({ location }) =>
    archive === undefined ? targetNameOf(location) : withoutLink(location.path),
  );
  const sums = names.map((name) => checksums?.of(name));
  let exit = 0;
  for (const [at, { location }] of items.entries()) {
    const listener = report.file(names[at] ?? '');
    try {
      const options = { ...settings, sha256: sums[at], onEvent: listener.event };
      const result = await get(location, standardOutput(stdout), options);
      listener.complete(result);
      const leftOut = leftOutError(result, location);
      if (leftOut !== undefined) throw leftOut;
    } catch (error) {
      const known = asViaductError(error);
      listener.failed(known);
      exit = outcomeOf(known).exit;
      // What follows would be taken for the rest of this one.
      break;
    }
  }
  report.close(undefined);
  return exit;
}

function isPattern({ pattern }: WhereOrPattern): boolean {
  return pattern !== undefined;
}

/** A signal that also aborts after a timeout, if there is one. */
function withTimeout(signal: AbortSignal, timeoutMs: number | undefined): AbortSignal {
  if (timeoutMs === undefined) return signal;
  const timeout = new AbortController();
  const error = new ViaductError(
    'MAX_TIME',
    `timeout: not finished within ${timeoutMs / 1000} s (--max-time)`,
  );
  setTimeout(() => timeout.abort(error), timeoutMs).unref();
  return AbortSignal.any([signal, timeout.signal]);
}
