import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type GetItem, getAll } from '../../client/get/get-all.js';
import { get } from '../../client/get/get.js';
import type { GetOptions } from '../../client/get/options.js';
import { folderNameOf, targetNameOf } from '../../client/save-name.js';
import type { Location } from '../../route/location.js';
import { isPartialOf } from '../../files/partial-name.js';
import { withWriteErrors } from '../../files/write-error.js';
import { ViaductError, asViaductError } from '../../errors.js';
import { visible } from '../../text.js';
import { outcomeOf } from '../exit-codes.js';
import { type GetReport, createGetReport } from './report.js';
import { listenForInterruption } from '../terminal/interruption.js';
import { standardOutput } from '../terminal/standard-output.js';
import { type WhereOptions, locationFrom } from '../where.js';

/** As the command line gives them; times in ms. */
export interface GetCommandOptions extends WhereOptions {
  readonly output?: string;
  readonly recursive?: true;
  readonly transfers: number;
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

/** Fetches what the locations name. Returns the exit code. */
export async function runGet(wheres: readonly string[], options: GetCommandOptions): Promise<number> {
  const several = wheres.length > 1 || options.recursive === true;
  const toStdout = options.output === '-';
  const reportOptions = { ...options, toStdout, several };
  let orders: readonly GetItem[];
  try {
    if (toStdout && several)
      throw new ViaductError('USAGE', '-o - takes one file; several would not be told apart');
    orders = await ordersFor(wheres, options);
  } catch (error) {
    if (options.json) return createGetReport(reportOptions).failed(asViaductError(error));
    throw error;
  }
  const report = createGetReport(reportOptions);
  const interruption = listenForInterruption('');
  const settings: GetOptions = {
    retries: options.retry,
    verify: options.verify,
    noClobber: !options.clobber,
    limitRate: options.limitRate,
    timeoutMs: options.timeout,
    connectTimeoutMs: options.connectTimeout,
    maxHops: options.maxHops,
    signal: limited(interruption.signal, options.maxTime),
  };
  try {
    if (toStdout) return interruption.exitCode(await toStandardOutput(orders, settings, report));
    const totals = await getAll(orders, {
      ...settings,
      transfers: options.transfers,
      onFile: (target) => report.file(target),
      onFound: (files, bytes) => report.found(files, bytes),
    });
    report.close(several ? totals : undefined);
    return interruption.exitCode(totals.firstFailure === undefined ? 0 : outcomeOf(totals.firstFailure).exit);
  } catch (error) {
    return interruption.exitCode(report.failed(asViaductError(error)));
  }
}

/** What comes where. Several things, and the folders of -r, come into a folder. */
async function ordersFor(wheres: readonly string[], options: GetCommandOptions): Promise<GetItem[]> {
  const { output } = options;
  const recursive = options.recursive === true;
  const places = wheres.length === 0 ? [undefined] : wheres;
  const locations = await Promise.all(places.map((where) => locationFrom(where, options)));
  const named = locations.map((location) => (recursive ? asFolder(location) : location));
  const [only] = named;
  if (output !== undefined && only !== undefined && named.length === 1)
    return [{ location: only, target: output, recursive }];
  const nameOf = recursive ? folderNameOf : targetNameOf;
  const orders = named.map((location) => ({
    location,
    target: join(output ?? '', nameOf(location)),
    recursive,
  }));
  for (const { target } of orders) {
    const same = orders.filter((other) => other.target === target);
    if (same.length > 1) throw new ViaductError('USAGE', `two of them would be saved as ${visible(target)}`);
    const beside = recursive ? undefined : orders.find((other) => isPartialOf(target, other.target));
    if (beside !== undefined)
      throw new ViaductError(
        'USAGE',
        `${visible(beside.target)} would get in the way of the partial file of ${visible(target)}; fetch them one by one`,
      );
  }
  if (output !== undefined) await withWriteErrors(output, () => mkdir(output, { recursive: true }));
  return orders;
}

function asFolder({ route, path }: Location): Location {
  return { route, path: path.endsWith('/') ? path : `${path}/` };
}

async function toStandardOutput(
  [order]: readonly GetItem[],
  settings: GetOptions,
  report: GetReport,
): Promise<number> {
  if (order === undefined) throw new ViaductError('USAGE', 'say where');
  const { location } = order;
  const listener = report.file(targetNameOf(location));
  let exit = 0;
  try {
    const result = await get(location, standardOutput(), { ...settings, onEvent: listener.event });
    listener.complete(result);
  } catch (error) {
    const known = asViaductError(error);
    listener.failed(known);
    exit = outcomeOf(known).exit;
  }
  report.close(undefined);
  return exit;
}

/** A signal that aborts after a time too, if there is a limit. */
function limited(signal: AbortSignal, limitMs: number | undefined): AbortSignal {
  if (limitMs === undefined) return signal;
  const late = new AbortController();
  const error = new ViaductError('MAX_TIME', `not done within the ${limitMs / 1000} s of --max-time`);
  setTimeout(() => late.abort(error), limitMs).unref();
  return AbortSignal.any([signal, late.signal]);
}
