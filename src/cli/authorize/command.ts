import { type Command, Option } from 'commander';
import type { CommandContext } from '../context.js';
import { authorizedOption, stateOption } from '../options.js';
import type { AuthorizeOptions } from './run.js';

const EXAMPLES = `
  viaduct authorize sha256//PIN --name alice --path /photos --expires 2026-12-31
  viaduct authorize --list
  viaduct authorize --remove alice`;

export function addAuthorizeCommand(program: Command, context: CommandContext): void {
  program
    .command('authorize')
    .description('Let a client read from a node with --access keys; list or remove such clients.')
    .argument('[pin]', 'pin of the client, as viaduct identity --client prints it; - for standard input')
    .option('--name <name>', 'name of the client, for the log')
    .option('--path <prefix>', 'file or folder that it may read, such as /photos (default: all)')
    .option(
      '--expires <time>',
      'time from which it may no longer, such as 2026-12-31 or 2026-12-31T12:00Z, in UTC',
    )
    .addOption(new Option('--list', 'list the clients').conflicts(['remove', 'name', 'path', 'expires']))
    .option('--json', 'with --list: print one JSON object per client')
    .addOption(
      new Option('--remove <client>', 'remove a client, by pin or name').conflicts([
        'name',
        'path',
        'expires',
      ]),
    )
    .addOption(authorizedOption())
    .addOption(stateOption())
    .addHelpText('after', EXAMPLES)
    .action(async (pin: string | undefined, options: AuthorizeOptions) => {
      const { runAuthorize } = await import('./run.js');
      context.exitCode = await runAuthorize(pin, options, context);
    });
}
