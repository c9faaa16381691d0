import type { Command } from 'commander';
import { CONNECT_MS, MAX_HOPS, SILENCE_MS } from '../../defaults.js';
import type { CommandContext } from '../context.js';
import { DESCRIPTIONS, countOption, proxyOption, secondsOption } from '../options.js';
import type { ClientOptions } from './run.js';

export function addClientCommand(program: Command, context: CommandContext): void {
  program
    .command('client')
    .description(
      'Fetch a file as the original client does, unencrypted. The input file has the file name, then a line "host port" per hop.',
    )
    .argument('<input>', 'input file, - for standard input')
    .option(
      '-o, --output <file>',
      'file to save to, - for standard output (default: the remote name, in the current folder)',
    )
    .addOption(secondsOption('--timeout', DESCRIPTIONS.timeout, SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', DESCRIPTIONS.connectTimeout, CONNECT_MS))
    .addOption(proxyOption(DESCRIPTIONS.proxy))
    .addOption(countOption('--max-hops', DESCRIPTIONS.maxHops, MAX_HOPS))
    .action(async (input: string, options: ClientOptions) => {
      const { runClient } = await import('./run.js');
      context.exitCode = await runClient(input, options, context);
    });
}
