import type { Command } from 'commander';
import type { CommandContext } from '../context.js';
import type { ConfigOptions } from './run.js';

const EXAMPLES = `
  viaduct config
  viaduct config get --retry 3 lab:dir/file`;

/** @param wholeProgram the program with all its commands, whose options are shown */
export function addConfigCommand(
  program: Command,
  context: CommandContext,
  wholeProgram: () => Command,
): void {
  // What follows the name of a command belongs to it.
  program.enablePositionalOptions();
  program
    .command('config')
    .description('Print named routes and the options that hold, and where each of them comes from.')
    .argument('[command...]', 'a command, with or without options, whose options are all printed')
    .passThroughOptions()
    .option('--json', 'print one JSON object per route or option and line')
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], options: ConfigOptions) => {
      const { runConfig } = await import('./run.js');
      context.exitCode = await runConfig(words, options, wholeProgram, context);
    });
}
