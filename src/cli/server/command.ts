import { type Command, Option } from 'commander';
import {
  BACKLOG,
  CONNECT_MS,
  GRACE_MS,
  MAX_CONNECTIONS,
  MAX_HOPS,
  MAX_PARKED,
  MAX_PARKED_PER_CLIENT,
  PARK_READY,
  PAUSE_MS,
  SILENCE_MS,
  STALL_MS,
} from '../../defaults.js';
import type { CommandContext } from '../context.js';
import {
  authorizedOption,
  countOption,
  parseSize,
  proxyOption,
  secondsOption,
  stateOption,
} from '../options.js';
import { WHO, shareOption } from '../shares.js';
import { parkOptions } from './park.js';
import type { ServerOptions } from './run.js';

const HTTP_EXAMPLE = `
Any HTTP client can use the node. The URL contains the route; each /@host:port is a further hop:
  curl -O http://h1:12000/@h2:11000/dir/file`;

/** Collects the values of an option that is repeatable. */
function addRule(rule: string, rules: readonly string[] | undefined): readonly string[] {
  return [...(rules ?? []), rule];
}

export function addServerCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('server')
    .description('Serve the files of a folder and relay requests to further hops.')
    .argument('[port]', 'port to listen on, 0 for any free port; prompts if omitted')
    .option('--root <dir>', 'folder to serve (default: the working folder; with --share, none)')
    .addOption(
      shareOption(
        'serve a further folder as /name/: with ,access=WHO at its end for other readers than --access names; repeatable',
      ),
    )
    .option('--host <address>', 'address to listen on (default: all IPv4 and IPv6 addresses)')
    .option(
      '--host-name <name>',
      'host name that clients may use for this node: a name, *.domain, or * for all; repeatable (default: addresses, localhost, and the names of the machine)',
      addRule,
    )
    .option('--dotfiles', 'serve files whose names start with a dot', false)
    .addOption(stateOption())
    .option('--key <file>', 'private key for TLS, in PEM (default: one that is made on the first start)')
    .option('--cert <file>', 'certificate of the key and its chain, in PEM (default: in the file of --key)')
    .option('--tls-only', 'refuse requests that are not in TLS')
    .option('--ask-clients', 'ask clients for their identity, and log its pin')
    .addOption(
      new Option(
        '--access <who>',
        'who may read: public, everyone who can connect; keys, clients with an authorized key; links, who has a link of viaduct share',
      )
        .choices(WHO)
        .default('public'),
    )
    .addOption(authorizedOption())
    .option(
      '--park-for <nodes>',
      'nodes that may park here: any, none, or a file with a pin a line, each with names that only it may take',
      'none',
    )
    .addOption(
      new Option('--park-clients <class>', 'outermost clients that may use nodes parked here')
        .choices(['loopback', 'private', 'public'])
        .default('public'),
    )
    .addOption(countOption('--max-parked', 'maximum nodes parked here', MAX_PARKED))
    .addOption(
      countOption(
        '--max-parked-per-client',
        'maximum nodes parked here from one address',
        MAX_PARKED_PER_CLIENT,
      ),
    )
    .addOption(countOption('--park-ready', 'connections that each node parked here keeps ready', PARK_READY))
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
    .option('--no-speed-test', 'send no bytes to clients that measure the speed (trace --speed)')
    .option(
      '--congestion <name>',
      "TCP congestion control for what the node sends, such as bbr (default: the system's)",
    )
    .addOption(countOption('--backlog', 'maximum length of the queue of connections to accept', BACKLOG))
    .option(
      '--relay-for <clients>',
      'clients to relay for: any, none, loopback, private, public (a class and those further inside), or CIDR; several with commas, repeatable (default: any)',
      addRule,
    )
    .addOption(new Option('--no-relay', 'relay for no client, as --relay-for none').conflicts('relayFor'))
    .option(
      '--allow-hop <rule>',
      'allow only next hops that match a rule: host, *.domain or CIDR, each with optional :port or :low-high; repeatable (default: no address more private than that of the client, ports from 1024)',
      addRule,
    )
    .option(
      '--deny-hop <rule>',
      'refuse next hops that match a rule of that form, or ~name of a node parked here, whatever else allows them; repeatable',
      addRule,
    )
    .addOption(
      proxyOption(
        'proxy to the next hops: http://, socks5h:// or socks5:// or none (default: none; for --park that of the environment)',
      ),
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
    .addHelpText('after', HTTP_EXAMPLE);
  for (const option of parkOptions()) command.addOption(option);
  command.action(async (port: string | undefined, options: ServerOptions) => {
    const { runServer } = await import('./run.js');
    context.exitCode = await runServer(port, options, context);
  });
}
