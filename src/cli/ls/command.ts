import type { Command } from 'commander';
import { CONNECT_MS, MAX_HOPS, SILENCE_MS } from '../../defaults.js';
import type { CommandContext } from '../context.js';
import { trustOptions } from '../encryption.js';
import {
  DESCRIPTIONS,
  WHERE_OR_PATTERN,
  countOption,
  jumpOption,
  proxyOption,
  routeOption,
  secondsOption,
} from '../options.js';
import type { ListCommandOptions } from './run.js';

export function addListCommand(program: Command, context: CommandContext): void {
  const ls = program
    .command('ls')
    .description('List a remote folder.')
    .argument('[where]', WHERE_OR_PATTERN)
    .addOption(jumpOption())
    .addOption(routeOption())
    .helpOption('--help', 'display help for command')
    .option('-l, --long', 'print a table of size, time and name')
    // Alone, -h asks for help, as with the other commands.
    .option('-h, --human-readable', 'accepted for ls -lh: sizes are always human-readable')
    .option('--json', 'print one JSON object per entry and line')
    .addOption(secondsOption('--timeout', DESCRIPTIONS.timeout, SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', DESCRIPTIONS.connectTimeout, CONNECT_MS))
    .addOption(proxyOption(DESCRIPTIONS.proxy))
    .addOption(countOption('--max-hops', DESCRIPTIONS.maxHops, MAX_HOPS))
    .action(async (where: string | undefined, options: ListCommandOptions, command: Command) => {
      if (options.humanReadable && where === undefined && options.route === undefined) command.help();
      const { runList } = await import('./run.js');
      context.exitCode = await runList(where, options, context);
    });
  for (const option of trustOptions()) ls.addOption(option);
}
