import { type Command, Option } from 'commander';
import {
  BACKLOG,
  CONNECT_MS,
  GRACE_MS,
  MAX_CONNECTIONS,
  MAX_HOPS,
  SILENCE_MS,
  STALL_MS,
} from '../../defaults.js';
import { countOption, secondsOption } from '../options.js';
import type { ServerOptions } from './run.js';

const HTTP_EXAMPLE = `
Any HTTP client works, with the route in the URL; each /@host:port is a further hop:
  curl -O http://h1:12000/@h2:11000/dir/file`;

export function addServerCommand(program: Command): void {
  program
    .command('server')
    .description('Serve the files of a folder, and relay to further hops.')
    .argument('[port]', 'port to listen on, 0 for a free one; asked for if missing')
    .option('--root <dir>', 'folder to serve', '.')
    .option('--host <address>', 'address to listen on (default: all, IPv4 and IPv6)')
    .option('--dotfiles', 'serve names with a leading dot', false)
    .addOption(secondsOption('--timeout', 'silence of a sender', SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', 'dialling the next hop', CONNECT_MS))
    .addOption(secondsOption('--stall-timeout', 'a reader that takes nothing', STALL_MS))
    .addOption(
      secondsOption('--grace', 'running transfers after SIGINT or SIGTERM, 0 for none', GRACE_MS, true),
    )
    .addOption(countOption('--max-hops', 'hops of a whole route', MAX_HOPS))
    .addOption(countOption('--max-connections', 'connections at once', MAX_CONNECTIONS))
    .addOption(countOption('--backlog', 'connections that wait to be accepted', BACKLOG))
    .option(
      '--allow-hop <rule>',
      'dial only what a rule names: host, *.domain or CIDR, each with optional :port or :low-high; repeatable (default: never further inward than the client, ports from 1024)',
      (rule: string, rules: readonly string[] | undefined) => [...(rules ?? []), rule],
    )
    .addOption(
      new Option('--clients <class>', 'judge clients by their address, or all as public (behind a forwarder)')
        .choices(['observed', 'public'])
        .default('observed'),
    )
    .addOption(
      new Option(
        '--pump <kind>',
        'how bytes are moved: splice (Linux on x64), portable, or the best there is',
      )
        .choices(['auto', 'splice', 'portable'])
        .default('auto'),
    )
    .addOption(
      new Option('--log-level <level>', 'least level of log lines')
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
      process.exitCode = await runServer(port, options);
    });
}
