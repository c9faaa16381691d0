import { type Command, Option } from 'commander';
import {
  BACKLOG,
  CONNECT_MS,
  GRACE_MS,
  MAX_CONNECTIONS,
  MAX_HOPS,
  PAUSE_MS,
  SILENCE_MS,
  STALL_MS,
} from '../../defaults.js';
import type { CommandContext } from '../context.js';
import { countOption, parseSize, secondsOption, stateOption } from '../options.js';
import type { ServerOptions } from './run.js';

const HTTP_EXAMPLE = `
Any HTTP client can use the node. The URL contains the route; each /@host:port is a further hop:
  curl -O http://h1:12000/@h2:11000/dir/file`;

export function addServerCommand(program: Command, context: CommandContext): void {
  program
    .command('server')
    .description('Serve the files of a folder and relay requests to further hops.')
    .argument('[port]', 'port to listen on, 0 for any free port; prompts if omitted')
    .option('--root <dir>', 'folder to serve', '.')
    .option('--host <address>', 'address to listen on (default: all IPv4 and IPv6 addresses)')
    .option('--dotfiles', 'serve files whose names start with a dot', false)
    .addOption(stateOption())
    .option('--key <file>', 'private key for TLS, in PEM (default: one that is made on the first start)')
    .option('--cert <file>', 'certificate of the key and its chain, in PEM (default: in the file of --key)')
    .option('--tls-only', 'refuse requests that are not in TLS')
    .option('--ask-clients', 'ask clients for their identity, and log its pin')
    .addOption(secondsOption('--timeout', 'timeout: no data from the sender', SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', 'timeout: connect to the next hop', CONNECT_MS))
    .addOption(
      secondsOption(
        '--stall-timeout',
        'timeout: the receiver accepts no data while half of the connections are in use',
        STALL_MS,
      ),
    )
    .addOption(
      secondsOption(
        '--pause-timeout',
        'timeout: the receiver accepts no data while fewer are in use',
        PAUSE_MS,
      ),
    )
    .addOption(
      secondsOption(
        '--grace',
        'time for running transfers to finish after SIGINT or SIGTERM (0: none)',
        GRACE_MS,
        true,
      ),
    )
    .addOption(countOption('--max-hops', 'maximum hops in a route', MAX_HOPS))
    .addOption(countOption('--max-connections', 'maximum open connections', MAX_CONNECTIONS))
    .addOption(
      new Option(
        '--digest-limit <size>',
        'largest file whose SHA-256 is computed for clients, such as 500G (default: no limit)',
      ).argParser(parseSize),
    )
    .addOption(countOption('--backlog', 'maximum length of the queue of connections to accept', BACKLOG))
    .option(
      '--allow-hop <rule>',
      'allow only next hops that match a rule: host, *.domain or CIDR, each with optional :port or :low-high; repeatable (default: no address more private than that of the client, ports from 1024)',
      (rule: string, rules: readonly string[] | undefined) => [...(rules ?? []), rule],
    )
    .addOption(
      new Option(
        '--clients <class>',
        'how to classify clients: by their address, or all as public (behind a forwarder)',
      )
        .choices(['observed', 'public'])
        .default('observed'),
    )
    .addOption(
      new Option(
        '--pump <kind>',
        'method to move bytes: splice (Linux on x64), portable, or auto for the best available',
      )
        .choices(['auto', 'splice', 'portable'])
        .default('auto'),
    )
    .addOption(
      new Option('--log-level <level>', 'minimum level of log lines')
        .choices(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .addOption(
      new Option('--log-format <format>', 'auto: pretty on a terminal, JSON otherwise')
        .choices(['auto', 'pretty', 'json'])
        .default('auto'),
    )
    .addHelpText('after', HTTP_EXAMPLE)
    .action(async (port: string | undefined, options: ServerOptions) => {
      const { runServer } = await import('./run.js');
      context.exitCode = await runServer(port, options, context);
    });
}
