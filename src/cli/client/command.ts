import type { Command } from 'commander';
import { CONNECT_MS, MAX_HOPS, SILENCE_MS } from '../../defaults.js';
import { countOption, secondsOption } from '../options.js';
import type { ClientOptions } from './run.js';

export function addClientCommand(program: Command): void {
  program
    .command('client')
    .description(
      'Fetch a file over the route in an input file: the file name, then a line "host port" per hop.',
    )
    .argument('<input>', 'the input file, - for standard input')
    .option(
      '-o, --output <file>',
      "where to save, - for standard output (default: the file's own name, here)",
    )
    .addOption(secondsOption('--timeout', 'no data', SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', 'dialling the first hop', CONNECT_MS))
    .addOption(countOption('--max-hops', 'hops of a route', MAX_HOPS))
    .action(async (input: string, options: ClientOptions) => {
      const { runClient } = await import('./run.js');
      process.exitCode = await runClient(input, options);
    });
}
