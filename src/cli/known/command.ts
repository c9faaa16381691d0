import { Argument, type Command } from 'commander';
import type { CommandContext } from '../context.js';
import { stateOption } from '../options.js';
import type { KnownAction, KnownOptions } from './run.js';

const EXAMPLES = `
  viaduct known
  viaduct known add h2.example:11000 sha256//PIN
  viaduct known remove h1:12000/@10.0.0.5:11000`;

export function addKnownCommand(program: Command, context: CommandContext): void {
  program
    .command('known')
    .description('List, add or remove the pins of known hosts.')
    .addArgument(
      new Argument('[action]', 'what to do').choices(['list', 'add', 'remove']).default('list', 'list'),
    )
    .argument('[name]', 'host:port, or for a private host the route, h1:12000/@h2:11000')
    .argument('[pin]', 'for add: the pin, as viaduct identity prints it')
    .addOption(stateOption())
    .option('--json', 'list: print one JSON object per host and line')
    .addHelpText('after', EXAMPLES)
    .action(
      async (
        action: KnownAction,
        name: string | undefined,
        pin: string | undefined,
        options: KnownOptions,
      ) => {
        const { runKnown } = await import('./run.js');
        context.exitCode = await runKnown(action, name, pin, options, context);
      },
    );
}
