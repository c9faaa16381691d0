import type { Command } from 'commander';
import { CONNECT_MS, MAX_HOPS, SILENCE_MS } from '../../defaults.js';
import { WHERE, countOption, jumpOption, routeOption, secondsOption } from '../options.js';
import type { ListCommandOptions } from './run.js';

export function addListCommand(program: Command): void {
  program
    .command('ls')
    .description('List a far folder.')
    .argument('[where]', WHERE)
    .addOption(jumpOption())
    .addOption(routeOption())
    .option('-l, --long', 'a table of size, time and name')
    .option('--json', 'a JSON object per line for each entry')
    .addOption(secondsOption('--timeout', 'no data', SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', 'dialling the first hop', CONNECT_MS))
    .addOption(countOption('--max-hops', 'hops of a route', MAX_HOPS))
    .action(async (where: string | undefined, options: ListCommandOptions) => {
      const { runList } = await import('./run.js');
      process.exitCode = await runList(where, options);
    });
}
