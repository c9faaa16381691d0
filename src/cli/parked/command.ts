import { Argument, type Command } from 'commander';
import type { CommandContext } from '../context.js';
import { stateOption } from '../options.js';
import type { ParkedAction, ParkedOptions } from './run.js';

const EXAMPLES = `
  viaduct parked
  viaduct parked forget attic`;

export function addParkedCommand(program: Command, context: CommandContext): void {
  program
    .command('parked')
    .description('List or forget the names that nodes parked at this relay have taken.')
    .addArgument(new Argument('[action]', 'what to do').choices(['list', 'forget']).default('list', 'list'))
    .argument('[names...]', 'for forget: the names, each of which any node can take then')
    .addOption(stateOption())
    .option('--json', 'list: print one JSON object per name')
    .addHelpText('after', EXAMPLES)
    .action(async (action: ParkedAction, names: readonly string[], options: ParkedOptions) => {
      const { runParked } = await import('./run.js');
      context.exitCode = await runParked(action, names, options, context);
    });
}
