import type { Command } from 'commander';
import type { CommandContext } from '../context.js';
import { sourceOptions, transferOptions } from '../get/options.js';
import { WHERE_OR_PATTERN } from '../options.js';
import type { CatOptions } from './run.js';

export function addCatCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('cat')
    .description('Print files to standard output, one after the other. Each is verified at its end.')
    .argument('[where...]', WHERE_OR_PATTERN);
  for (const option of [...sourceOptions(), ...transferOptions()]) command.addOption(option);
  command
    .option('-v, --verbose', 'print each step, to standard error')
    .action(async (where: readonly string[], options: CatOptions) => {
      const { runCat } = await import('./run.js');
      context.exitCode = await runCat(where, options, context);
    });
}
