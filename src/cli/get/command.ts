import { type Command, InvalidArgumentError, Option } from 'commander';
import { CONNECT_MS, MAX_HOPS, RETRY_MS, SILENCE_MS, TRANSFERS } from '../../defaults.js';
import { parseBytes } from '../../text.js';
import type { CommandContext } from '../context.js';
import { trustOptions } from '../encryption.js';
import {
  DESCRIPTIONS,
  WHERE,
  countOption,
  jumpOption,
  parseCount,
  proxyOption,
  routeOption,
  secondsOption,
} from '../options.js';
import type { GetCommandOptions } from './run.js';

export function addGetCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('get')
    .description(
      'Fetch files over a route. Interrupted transfers are resumed, and each file is verified before it is saved.',
    )
    .argument('[where...]', WHERE)
    .addOption(jumpOption())
    .addOption(routeOption())
    .option(
      '-o, --output <path>',
      'file or folder to save to, - for standard output (default: the remote names, in the current folder)',
    )
    .option(
      '-r, --recursive',
      'fetch whole folders, and files; skip files that exist with the same size and time',
    )
    .addOption(
      new Option(
        '--tar',
        'fetch a folder as one tar archive; links and special files are left out',
      ).conflicts('recursive'),
    )
    .addOption(countOption('--transfers', 'maximum parallel transfers', TRANSFERS))
    .addOption(
      new Option(
        '--segments <n>',
        'connections on each route for the parts of a file (1: none; default: as many as pay, at most 16)',
      ).argParser(parseCount),
    )
    .addOption(
      new Option(
        '--via <relays>',
        'relays before the host, as -J; repeated: further routes to the same file, used at the same time',
      ).argParser(collect),
    )
    .addOption(
      new Option(
        '--also <where>',
        'the same file at another location, used at the same time; repeatable',
      ).argParser(collect),
    )
    .addOption(
      new Option(
        '--retry <n>',
        'consecutive retries without progress (0: none; default: no limit within --retry-time)',
      ).argParser(parseRetries),
    )
    .addOption(
      secondsOption(
        '--retry-time',
        `retry for so long without progress (default: ${RETRY_MS / 1000}, or no limit with --retry)`,
        undefined,
        true,
      ),
    )
    .option('--retry-connect', 'retry failures before the first reply too')
    .option('--no-verify', 'check only the size, not the SHA-256')
    .option('--no-clobber', 'do not replace an existing file')
    .addOption(
      new Option(
        '--limit-rate <rate>',
        'maximum bytes per second, all files together, such as 500K or 10M',
      ).argParser(parseRate),
    )
    .addOption(secondsOption('--timeout', DESCRIPTIONS.timeout, SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', DESCRIPTIONS.connectTimeout, CONNECT_MS))
    .addOption(secondsOption('--max-time', 'timeout: all transfers together', undefined))
    .addOption(proxyOption(DESCRIPTIONS.proxy))
    .addOption(countOption('--max-hops', DESCRIPTIONS.maxHops, MAX_HOPS))
    .addOption(new Option('-q, --quiet', 'print errors only').conflicts('verbose'))
    .option('-v, --verbose', 'print each step')
    .option('--json', 'print events as one JSON object per line (with -o -: to standard error)')
    .action(async (where: readonly string[], options: GetCommandOptions) => {
      const { runGet } = await import('./run.js');
      context.exitCode = await runGet(where, options, context);
    });
  for (const option of trustOptions()) command.addOption(option);
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
