import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from '../context.js';
import { parseFolder, stateOption } from '../options.js';
import { shareOption } from '../shares.js';
import type { ShareOptions } from './run.js';

/** How long a link opens something, in seconds. */
const DEFAULT_SECONDS = 24 * 3600;
const MAX_SECONDS = 10 * 365 * 24 * 3600;
const UNITS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 24 * 3600],
]);

const EXAMPLES = `
  viaduct share photos/2024/ --route h1:12000
  viaduct share film.mkv --for 7d --route h1:12000/@~attic
  viaduct share --revoke-all`;

export function addShareCommand(program: Command, context: CommandContext): void {
  const only = ['for', 'route', 'root', 'share'];
  program
    .command('share')
    .description(
      'Print a link to a file or folder of a node with --access links; anyone who has it may read.',
    )
    .argument('[path]', 'file, or folder with all below it: in the working folder, or at the node')
    .addOption(
      new Option('--for <time>', 'how long the link works, such as 30m, 24h or 7d; at most 3650d')
        .default(DEFAULT_SECONDS, '24h')
        .argParser(parseTime),
    )
    .option('--route <hops>', 'how clients reach the node, such as h1:12000 or h1:12000/@~attic')
    .addOption(
      new Option(
        '--root <dir>',
        'folder that the node serves (default: the working folder; with --share, none)',
      ).argParser(parseFolder),
    )
    .addOption(shareOption('further folder that the node serves, as for server; repeatable'))
    .addOption(stateOption())
    .addOption(new Option('--revoke-all', 'make all earlier links of this node useless').conflicts(only))
    .addHelpText('after', EXAMPLES)
    .action(async (path: string | undefined, options: ShareOptions) => {
      const { runShare } = await import('./run.js');
      context.exitCode = await runShare(path, options, context);
    });
}

function parseTime(text: string): number {
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS.get(unit) ?? Number.NaN);
  if (seconds > 0 && seconds <= MAX_SECONDS) return seconds;
  throw new InvalidArgumentError('Expected a time, such as 30m, 24h or 7d, at most 3650d.');
}
