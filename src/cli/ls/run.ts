import { findMatches } from '../../client/matching.js';
import { listLocation } from '../../client/listing.js';
import { formatBytes, visible } from '../../text.js';
import { type Entry, type Omitted, nameMembers, omittedText } from '../../wire/http/listing.js';
import type { CommandContext } from '../context.js';
import { type TrustOptions, encryptionFrom } from '../encryption.js';
import { type ProxyOptions, proxyFrom } from '../proxy.js';
import { jsonLine } from '../terminal/print.js';
import { standardOutput, untilReaderLeaves } from '../terminal/standard-output.js';
import { type WhereOptions, patternFrom } from '../where.js';

/** Parsed options; times in ms. */
export interface ListCommandOptions extends WhereOptions, TrustOptions, ProxyOptions {
  readonly long?: true;
  /** Accepted for `ls -lh`; sizes are readable anyway. */
  readonly humanReadable?: true;
  readonly json?: true;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly maxHops: number;
}

/** Number of entries per write. */
const BATCH = 1000;

/** Prints the entries of a remote folder after all have arrived. Returns the exit code. */
export async function runList(
  where: string | undefined,
  options: ListCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { pattern, ...location } = await patternFrom(where, options, context);
  const encryption = await encryptionFrom(options, context, location);
  const settings = {
    ...encryption,
    timeoutMs: options.timeout,
    connectTimeoutMs: options.connectTimeout,
    maxHops: options.maxHops,
    proxy: proxyFrom(options),
  };
  const onOmitted = (omitted: Omitted): void => {
    const text = omittedText(omitted);
    if (text !== '') context.stderr.write(`viaduct: not listed: ${text}\n`);
  };
  const entries =
    pattern === undefined
      ? await listLocation(location, { ...settings, onOmitted })
      : (await findMatches(location, pattern, { ...settings, folders: true })).map(({ entry }) => entry);
  const lineOf = options.json ? asJson : options.long ? tableOf(entries) : nameOf;
  await untilReaderLeaves(printLines(entries, lineOf, context));
  return 0;
}

async function printLines(
  entries: readonly Entry[],
  lineOf: (entry: Entry) => string,
  { stdout }: CommandContext,
): Promise<void> {
  const write = standardOutput(stdout);
  for (let at = 0; at < entries.length; at += BATCH) {
    const lines = entries.slice(at, at + BATCH).map((entry) => `${lineOf(entry)}\n`);
    await write(Buffer.from(lines.join('')));
  }
}

/** The whole name, safe to print; a folder's ends with `/`. */
function nameOf({ name, kind }: Entry): string {
  return `${visible(name, Infinity)}${kind === 'folder' ? '/' : ''}`;
}

function asJson(entry: Entry): string {
  const { name, kind, modified } = entry;
  return jsonLine({
    ...nameMembers(name),
    type: kind,
    size: kind === 'file' ? entry.size : undefined,
    modified,
  }).trimEnd();
}

/** Lines of size, local time and name; a folder has no size. */
function tableOf(entries: readonly Entry[]): (entry: Entry) => string {
  const width = entries.reduce((widest, entry) => Math.max(widest, sizeOf(entry).length), 0);
  return (entry) => `${sizeOf(entry).padStart(width)}  ${localTime(entry.modified)}  ${nameOf(entry)}`;
}

function sizeOf(entry: Entry): string {
  return entry.kind === 'file' ? formatBytes(entry.size) : '-';
}

const MINUTE_MS = 60_000;

/** `2001-02-03 04:05` */
function localTime(date: Date): string {
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * MINUTE_MS);
  return shifted.toISOString().slice(0, 'YYYY-MM-DD HH:MM'.length).replace('T', ' ');
}
