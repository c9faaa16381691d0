import type { Command } from 'commander';
import type { CommandContext } from '../context.js';
import { stateOption } from '../options.js';
import type { IdentityOptions } from './run.js';

export function addIdentityCommand(program: Command, context: CommandContext): void {
  program
    .command('identity')
    .description('Print the pin of the key of this node. The key is made when first needed.')
    .addOption(stateOption())
    .option('--client', 'the key of this user as a client, instead of that of the node')
    .option('--qr', 'print the pin as a QR code too')
    .action(async (options: IdentityOptions) => {
      const { runIdentity } = await import('./run.js');
      context.exitCode = await runIdentity(options, context);
    });
}
