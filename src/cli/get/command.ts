import { type Command, InvalidArgumentError, Option } from 'commander';
import { CONNECT_MS, MAX_HOPS, RETRIES, SILENCE_MS, TRANSFERS } from '../../defaults.js';
import { parseBytes } from '../../text.js';
import { WHERE, countOption, jumpOption, routeOption, secondsOption } from '../options.js';
import type { GetCommandOptions } from './run.js';

export function addGetCommand(program: Command): void {
  program
    .command('get')
    .description('Fetch files over a route: resumed by themselves, verified, saved as a whole.')
    .argument('[where...]', WHERE)
    .addOption(jumpOption())
    .addOption(routeOption())
    .option(
      '-o, --output <path>',
      'where to save: a file, - for standard output, a folder for several (default: the own names, here)',
    )
    .option('-r, --recursive', 'fetch whole folders; what is there with the same size and time is skipped')
    .addOption(countOption('--transfers', 'files at once', TRANSFERS))
    .addOption(
      new Option('--retry <n>', 'times to try again in a row without progress, 0 for never')
        .default(RETRIES)
        .argParser(parseRetries),
    )
    .option('--no-verify', 'take the file by its size, without comparing SHA-256')
    .option('--no-clobber', 'keep a file that is there already')
    .addOption(new Option('--limit-rate <rate>', 'most bytes a second, as in 500K, 10M').argParser(parseRate))
    .addOption(secondsOption('--timeout', 'no data', SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', 'dialling the first hop', CONNECT_MS))
    .addOption(secondsOption('--max-time', 'everything together', undefined))
    .addOption(countOption('--max-hops', 'hops of a route', MAX_HOPS))
    .option('--plain', 'without encryption: the only way there is')
    .addOption(new Option('-q, --quiet', 'print nothing but errors').conflicts('verbose'))
    .option('-v, --verbose', 'print each step')
    .option('--json', 'print events on standard error, a JSON object per line')
    .action(async (where: readonly string[], options: GetCommandOptions) => {
      const { runGet } = await import('./run.js');
      process.exitCode = await runGet(where, options);
    });
}

function parseRetries(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 0.');
  return Number(text);
}

function parseRate(text: string): number {
  const rate = parseBytes(text);
  if (rate === undefined || rate < 1)
    throw new InvalidArgumentError('Expected bytes a second, more than 0, as in 500K or 10M.');
  return rate;
}
