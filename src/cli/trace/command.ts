import { type Command, InvalidArgumentError, Option } from 'commander';
import { CONNECT_MS, MAX_HOPS, PROBES, SILENCE_MS, SPEED_MS } from '../../defaults.js';
import type { CommandContext } from '../context.js';
import { trustOptions } from '../encryption.js';
import {
  DESCRIPTIONS,
  WHERE,
  countOption,
  jumpOption,
  parseCount,
  proxyOption,
  routeOption,
  secondsOption,
} from '../options.js';
import type { TraceCommandOptions } from './run.js';

const KEYS = `
A hop whose key is "known" has answered itself: no hop before it can have done so in its place.
--pin and --ca are for the last hop; --accept-new saves the keys of all hops.`;

/**
 * In ms. Less than a second tells nothing; a minute is enough for anybody. What is no number is the location, which stands
 * behind the option.
 */
function parseSpeedSeconds(text: string): number | string {
  if (!/^\d+(?:\.\d+)?$/.test(text)) return text;
  const seconds = Number(text);
  if (seconds < 1 || seconds > 60) throw new InvalidArgumentError('Expected seconds from 1 to 60.');
  return seconds * 1000;
}

export function addTraceCommand(program: Command, context: CommandContext): void {
  const trace = program.command('trace');
  for (const option of trustOptions()) trace.addOption(option);
  trace
    .description('Probe each hop of a route: print round-trip times and the first hop that is down.')
    .argument('[where]', WHERE)
    .addOption(jumpOption())
    .addOption(routeOption())
    .addOption(
      new Option('--probes <n>', 'number of probes per hop; the median is printed')
        .default(PROBES)
        .argParser(parseCount),
    )
    .addOption(
      new Option(
        '--speed [seconds]',
        `measure how fast bytes come from each hop, in so many seconds together, and name the slowest link (default: ${SPEED_MS / 1000})`,
      ).argParser(parseSpeedSeconds),
    )
    .option('--json', 'print one JSON object per hop and line')
    .addOption(secondsOption('--timeout', 'timeout: no answer, plus 5 s per hop', SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', DESCRIPTIONS.connectTimeout, CONNECT_MS))
    .addOption(proxyOption(DESCRIPTIONS.proxy))
    .addOption(countOption('--max-hops', DESCRIPTIONS.maxHops, MAX_HOPS))
    .addHelpText('after', KEYS)
    .action(async (where: string | undefined, options: TraceCommandOptions) => {
      const { runTrace } = await import('./run.js');
      context.exitCode = await runTrace(where, options, context);
    });
}
