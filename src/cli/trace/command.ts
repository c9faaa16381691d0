import { type Command, Option } from 'commander';
import { CONNECT_MS, MAX_HOPS, PROBES, SILENCE_MS } from '../../defaults.js';
import type { CommandContext } from '../context.js';
import {
  DESCRIPTIONS,
  WHERE,
  countOption,
  jumpOption,
  parseCount,
  routeOption,
  secondsOption,
} from '../options.js';
import type { TraceCommandOptions } from './run.js';

export function addTraceCommand(program: Command, context: CommandContext): void {
  program
    .command('trace')
    .description('Probe each hop of a route: print round-trip times and the first hop that is down.')
    .argument('[where]', WHERE)
    .addOption(jumpOption())
    .addOption(routeOption())
    .addOption(
      new Option('--probes <n>', 'number of probes per hop; the median is printed')
        .default(PROBES)
        .argParser(parseCount),
    )
    .option('--json', 'print one JSON object per hop and line')
    .addOption(secondsOption('--timeout', 'timeout: no answer, plus 5 s per hop', SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', DESCRIPTIONS.connectTimeout, CONNECT_MS))
    .addOption(countOption('--max-hops', DESCRIPTIONS.maxHops, MAX_HOPS))
    .action(async (where: string | undefined, options: TraceCommandOptions) => {
      const { runTrace } = await import('./run.js');
      context.exitCode = await runTrace(where, options, context);
    });
}
