import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { leftOutError } from '../../client/get/archive.js';
import { getAll } from '../../client/get/get-all.js';
import { get } from '../../client/get/get.js';
import type { GetItem, GetOptions } from '../../client/get/options.js';
import { folderNameOf, targetNameOf } from '../../client/save-name.js';
import { type Location, parseLocation } from '../../route/location.js';
import { withoutLink } from '../../route/share-link.js';
import { namesFolder, pathForFile } from '../../files/folder.js';
import { mkdirAll } from '../../files/fs.js';
import { isPartialOf } from '../../files/partial-name.js';
import { withWriteErrors } from '../../files/write-error.js';
import { ViaductError, asViaductError } from '../../errors.js';
import { visible } from '../../text.js';
import { type TrustOptions, encryptionFrom } from '../encryption.js';
import type { CommandContext } from '../context.js';
import { outcomeOf } from '../exit-codes.js';
import { type ProxyOptions, proxyFrom } from '../proxy.js';
import { JsonReport } from './json-report.js';
import type { GetReport } from './report.js';
import { TextReport } from './text-report.js';
import { listenForInterruption } from '../terminal/interruption.js';
import { standardOutput } from '../terminal/standard-output.js';
import { type Where, type WhereOptions, locationFrom } from '../where.js';

/** Parsed options; times in ms. */
export interface GetCommandOptions extends WhereOptions, TrustOptions, ProxyOptions {
  readonly output?: string;
  readonly recursive?: true;
  readonly tar?: true;
  readonly transfers: number;
  readonly segments?: number;
  readonly via?: readonly string[];
  readonly also?: readonly string[];
  readonly retry?: number;
  readonly retryTime?: number;
  readonly retryConnect?: true;
  readonly verify: boolean;
  /** False for `--no-clobber`. */
  readonly clobber: boolean;
  /** Bytes per second. */
  readonly limitRate?: number;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly maxTime?: number;
  readonly maxHops: number;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly json?: true;
}

/** Fetches the files and folders that the locations name. Returns the exit code. */
export async function runGet(
  wheres: readonly string[],
  options: GetCommandOptions,
  context: CommandContext,
): Promise<number> {
  const several = wheres.length > 1 || options.recursive === true;
  const toStdout = options.output === '-';
  // Standard output may be for the bytes of the file.
  const jsonOutput = toStdout ? context.stderr : context.stdout;
  let locations: readonly Where[];
  let items: readonly GetItem[];
  let also: readonly Location[];
  try {
    if (toStdout && several) throw new ViaductError('USAGE', '-o - accepts only one file');
    also = otherRoutes(wheres, options);
    const [jump = options.jump] = options.via ?? [];
    locations = await Promise.all(
      (wheres.length === 0 ? [undefined] : wheres).map((where) =>
        locationFrom(where, { ...options, jump }, context),
      ),
    );
    items = await itemsFor(wheres, locations, options);
  } catch (error) {
    if (options.json) return new JsonReport(jsonOutput).failed(asViaductError(error));
    throw error;
  }
  const report = options.json
    ? new JsonReport(jsonOutput)
    : new TextReport({ ...options, toStdout, several }, context);
  const interruption = listenForInterruption('');
  const trustContext = {
    pin: locations[0]?.pin,
    scheme: locations.every(({ scheme }) => scheme === 'https') ? ('https' as const) : ('http' as const),
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
    const settings = await settingsFor();
    if (toStdout) return interruption.exitCode(await toStandardOutput(items, settings, report, context));
    const totals = await getAll(items, {
      ...settings,
      transfers: options.transfers,
      onFile: (target) => report.file(target),
      onFound: (files, bytes) => report.found(files, bytes),
      onListingRetry: (target, retry) => report.listingRetry(target, retry),
    });
    report.close(several ? totals : undefined);
    return interruption.exitCode(totals.firstFailure === undefined ? 0 : outcomeOf(totals.firstFailure).exit);
  } catch (error) {
    return interruption.exitCode(report.failed(asViaductError(error)));
  }
}

/** Further routes to the one file. @throws ViaductError USAGE, BAD_ROUTE */
function otherRoutes(
  [where, ...more]: readonly string[],
  { via = [], also = [], jump, route, recursive }: GetCommandOptions,
): Location[] {
  const isUsed = via.length + also.length > 0;
  if (!isUsed) return [];
  if (where === undefined || more.length > 0 || recursive === true || route !== undefined)
    throw new ViaductError('USAGE', '--via and --also are for one file, which is named by its location');
  if (jump !== undefined && via.length > 0) throw new ViaductError('USAGE', '--via takes the place of -J');
  return [
    ...via.slice(1).map((relays) => parseLocation(where, relays)),
    ...also.map((other) => parseLocation(other)),
  ];
}

/** What to fetch and where to save it. Several locations are saved into a folder. */
async function itemsFor(
  wheres: readonly string[],
  locations: readonly Location[],
  options: GetCommandOptions,
): Promise<GetItem[]> {
  const { output } = options;
  const recursive = options.recursive === true;
  if (!recursive && !options.tar)
    for (const [at, location] of locations.entries()) refuseHopAsName(wheres[at], location);
  const [only] = locations;
  if (output !== undefined && only !== undefined && locations.length === 1)
    return [{ location: only, target: await targetFor(output, only, options), recursive }];
  const nameOf = recursive ? folderNameOf : nameFor(options);
  const items = locations.map((location) => ({
    location,
    target: join(output ?? '', nameOf(location)),
    recursive,
  }));
  for (const { target } of items) {
    const same = items.filter((other) => other.target === target);
    if (same.length > 1)
      throw new ViaductError('USAGE', `two locations would both be saved as ${visible(target)}`);
    const beside = recursive ? undefined : items.find((other) => isPartialOf(target, other.target));
    if (beside !== undefined)
      throw new ViaductError(
        'USAGE',
        `${visible(beside.target)} conflicts with the partial file of ${visible(target)}; fetch the files one by one`,
      );
  }
  if (output !== undefined) await createOutputFolder(output);
  return items;
}

async function createOutputFolder(output: string): Promise<void> {
  const existing = await stat(output).catch(() => undefined);
  if (existing !== undefined && !existing.isDirectory())
    throw new ViaductError('USAGE', `with several files -o must be a folder; ${visible(output)} is none`);
  await withWriteErrors(output, () => mkdirAll(output));
}

/** In `h1:12000/@odd:80` the last part may be meant as the name of a file. */
function refuseHopAsName(where: string | undefined, { path }: Location): void {
  const [, name] = /\/(@[^/]*)\/?$/.exec(where ?? '') ?? [];
  if (path !== '/' || name === undefined) return;
  const [shown, encoded] = [visible(name), visible(`%40${name.slice(1)}`)];
  throw new ViaductError(
    'BAD_ROUTE',
    `"${shown}" was read as a hop; for a file of this name write "${encoded}", for the root folder of the hop use -r`,
  );
}

/** What `-o` means for one location. With `-r`, only the origin knows whether it is a file. */
async function targetFor(output: string, location: Location, options: GetCommandOptions): Promise<string> {
  const { recursive = false } = options;
  if (output === '-') return output;
  if (recursive) return (await namesFolder(output)) ? join(output, '/') : output;
  return pathForFile(output, () => nameFor(options)(location));
}

/** What one location is saved as, without a name of the user's. */
function nameFor({ tar }: GetCommandOptions): (location: Location) => string {
  return tar === undefined ? targetNameOf : (location) => `${folderNameOf(location)}.tar`;
}

async function toStandardOutput(
  [order]: readonly GetItem[],
  settings: GetOptions,
  report: GetReport,
  { stdout }: CommandContext,
): Promise<number> {
  if (order === undefined) throw new ViaductError('USAGE', 'no location given');
  const { location } = order;
  const { archive } = settings;
  const listener = report.file(archive === undefined ? targetNameOf(location) : withoutLink(location.path));
  let exit = 0;
  try {
    const result = await get(location, standardOutput(stdout), { ...settings, onEvent: listener.event });
    listener.complete(result);
    const error = leftOutError(result, location);
    if (error !== undefined) throw error;
  } catch (error) {
    const known = asViaductError(error);
    listener.failed(known);
    exit = outcomeOf(known).exit;
  }
  report.close(undefined);
  return exit;
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
