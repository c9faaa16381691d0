import { type Command, Option } from 'commander';
import { TRANSFERS } from '../../defaults.js';
import type { CommandContext } from '../context.js';
import { WHERE_OR_PATTERN, countOption } from '../options.js';
import { type GetCommandOptions, sourceOptions, transferOptions } from './options.js';

export function addGetCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('get')
    .description(
      'Fetch files over a route. Interrupted transfers are resumed, and each file is verified before it is saved.',
    )
    .argument('[where...]', WHERE_OR_PATTERN);
  for (const option of sourceOptions()) command.addOption(option);
  command
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
    .option('--no-clobber', 'do not replace an existing file')
    .addOption(countOption('--transfers', 'maximum parallel transfers', TRANSFERS));
  for (const option of transferOptions()) command.addOption(option);
  command
    .addOption(new Option('-q, --quiet', 'print errors only').conflicts('verbose'))
    .option('-v, --verbose', 'print each step')
    .option('--json', 'print events as one JSON object per line (with -o -: to standard error)')
    .action(async (where: readonly string[], options: GetCommandOptions) => {
      const { runGet } = await import('./run.js');
      context.exitCode = await runGet(where, options, context);
    });
}
