import { type Command, Option } from 'commander';
import { CONNECT_MS, MAX_HOPS, PROBES, SILENCE_MS } from '../../defaults.js';
import { WHERE, countOption, jumpOption, parseCount, routeOption, secondsOption } from '../options.js';
import type { TraceCommandOptions } from './run.js';

export function addTraceCommand(program: Command): void {
  program
    .command('trace')
    .description('Ask every hop of a route: round trips, and the first one that is down.')
    .argument('[where]', WHERE)
    .addOption(jumpOption())
    .addOption(routeOption())
    .addOption(
      new Option('--probes <n>', 'times to ask each hop; the median counts')
        .default(PROBES)
        .argParser(parseCount),
    )
    .option('--json', 'a JSON object per line for each hop')
    .addOption(secondsOption('--timeout', 'no answer, and 5 s more for each hop', SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', 'dialling the first hop', CONNECT_MS))
    .addOption(countOption('--max-hops', 'hops of a route', MAX_HOPS))
    .action(async (where: string | undefined, options: TraceCommandOptions) => {
      const { runTrace } = await import('./run.js');
      process.exitCode = await runTrace(where, options);
    });
}
