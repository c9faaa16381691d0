import { type Command, InvalidArgumentError, Option } from 'commander';
import { CONNECT_MS, MAX_HOPS, RETRY_MS, SILENCE_MS } from '../../defaults.js';
import { parsePort } from '../../route/hop.js';
import type { CommandContext } from '../context.js';
import { trustOptions } from '../encryption.js';
import {
  DESCRIPTIONS,
  WHERE,
  countOption,
  jumpOption,
  proxyOption,
  routeOption,
  secondsOption,
} from '../options.js';
import type { OpenCommandOptions } from './run.js';

export function addOpenCommand(program: Command, context: CommandContext): void {
  const open = program
    .command('open')
    .description('Open a remote file or folder in the browser and other programs.')
    .argument('[where]', WHERE)
    .addOption(jumpOption())
    .addOption(routeOption())
    .addOption(
      new Option('--port <port>', 'port on 127.0.0.1 (default: a free one)').argParser(parseLocalPort),
    )
    .option('--no-browser', 'print the URL only')
    .option('--no-verify', 'do not compare the SHA-256 of whole files')
    .addOption(
      secondsOption(
        '--retry-time',
        'retry an interrupted transfer for so long without progress',
        RETRY_MS,
        true,
      ),
    )
    .addOption(secondsOption('--timeout', DESCRIPTIONS.timeout, SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', DESCRIPTIONS.connectTimeout, CONNECT_MS))
    .addOption(proxyOption(DESCRIPTIONS.proxy))
    .addOption(countOption('--max-hops', DESCRIPTIONS.maxHops, MAX_HOPS))
    .option('-v, --verbose', 'print each request')
    .option('--json', 'print events as one JSON object per line; open no browser')
    .action(async (where: string | undefined, options: OpenCommandOptions) => {
      const { runOpen } = await import('./run.js');
      context.exitCode = await runOpen(where, options, context);
    });
  for (const option of trustOptions()) open.addOption(option);
}

function parseLocalPort(text: string): number {
  const port = parsePort(text, 0);
  if (port === undefined) throw new InvalidArgumentError('Expected a port from 0 to 65535.');
  return port;
}
