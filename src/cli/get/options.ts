import { InvalidArgumentError, Option } from 'commander';
import { CONNECT_MS, MAX_HOPS, RETRY_MS, SILENCE_MS } from '../../defaults.js';
import { parseBytes } from '../../text.js';
import { type TrustOptions, trustOptions } from '../encryption.js';
import {
  DESCRIPTIONS,
  countOption,
  jumpOption,
  parseCount,
  parseFile,
  proxyOption,
  routeOption,
  secondsOption,
} from '../options.js';
import type { ProxyOptions } from '../proxy.js';
import type { WhereOptions } from '../where.js';

/** Parsed options; times in ms. */
export interface GetCommandOptions extends WhereOptions, TrustOptions, ProxyOptions {
  readonly output?: string | undefined;
  readonly recursive?: true | undefined;
  readonly tar?: true;
  readonly transfers: number;
  readonly segments?: number;
  readonly via?: readonly string[];
  readonly also?: readonly string[];
  readonly retry?: number;
  readonly retryTime?: number;
  readonly retryConnect?: true;
  readonly verify: boolean;
  /** A path, `-`, or a location. */
  readonly checksumFile?: string;
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

/** What is fetched, over which routes. Of `get` and `cat`. */
export function sourceOptions(): Option[] {
  return [
    jumpOption(),
    routeOption().conflicts('jump'),
    new Option(
      '--via <relays>',
      'relays before the host, as -J; repeatable, for further routes to the same file, used at the same time',
    )
      .argParser(collect)
      .conflicts('jump'),
    new Option(
      '--also <where>',
      'the same file at another location, used at the same time; repeatable',
    ).argParser(collect),
  ];
}

/** How it is fetched and verified. */
export function transferOptions(): Option[] {
  return [
    new Option(
      '--segments <n>',
      'connections on each route for the parts of a file (1: none; default: as many as pay, at most 16)',
    ).argParser(parseCount),
    new Option(
      '--retry <n>',
      'consecutive retries without progress (0: none; default: no limit within --retry-time)',
    ).argParser(parseRetries),
    secondsOption(
      '--retry-time',
      `retry for so long without progress (default: ${RETRY_MS / 1000}, or no limit with --retry)`,
      undefined,
      true,
    ),
    new Option('--retry-connect', 'retry failures before the first reply too'),
    new Option('--no-verify', 'check only the size, not the SHA-256'),
    new Option(
      '--checksum-file <file>',
      'check files against this list too, such as SHA256SUMS: a local file, - for standard input, or a location',
    ).argParser(parseFile),
    new Option(
      '--limit-rate <rate>',
      'maximum bytes per second, all files together, such as 500K or 10M',
    ).argParser(parseRate),
    secondsOption('--timeout', DESCRIPTIONS.timeout, SILENCE_MS),
    secondsOption('--connect-timeout', DESCRIPTIONS.connectTimeout, CONNECT_MS),
    secondsOption('--max-time', 'timeout: all transfers together', undefined),
    proxyOption(DESCRIPTIONS.proxy),
    countOption('--max-hops', DESCRIPTIONS.maxHops, MAX_HOPS),
    ...trustOptions(),
  ];
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function parseRetries(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 0.');
  return Number(text);
}

function parseRate(text: string): number {
  const rate = parseBytes(text);
  if (rate === undefined || rate < 1)
    throw new InvalidArgumentError('Expected bytes per second, more than 0, such as 500K or 10M.');
  return rate;
}
