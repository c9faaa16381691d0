#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { asViaductError } from '../errors.js';
import {
  BACKLOG,
  CONNECT_MS,
  GRACE_MS,
  MAX_CONNECTIONS,
  MAX_HOPS,
  MAX_TIMER_MS,
  SILENCE_MS,
  STALL_MS,
} from '../limits.js';
import { VERSION } from '../version.js';
import type { ClientOptions } from './client-command.js';
import { flushOutput } from './lines.js';
import { printError } from './print.js';
import type { ServerOptions } from './server-command.js';

const HTTP_EXAMPLE = `
Any HTTP client works, with the route in the URL; each /@host:port is a further hop:
  curl -O http://h1:12000/@h2:11000/dir/file
`;

const EXIT_CODES = `
Exit codes (curl's where it has one):
  0 success              2 wrong usage or input   3 cannot listen
  1 defect of viaduct    6 name does not resolve  7 cannot connect
 18 transfer cut short  23 cannot write          26 cannot read
 28 timeout
129, 130, 143 ended by SIGHUP, SIGINT (Ctrl-C), SIGTERM`;

function buildProgram(setExit: (code: number) => void): Command {
  const program = new Command('viaduct')
    .description(
      'Fetch a file from a host that you cannot reach directly, over a chain of hosts that can reach each other.',
    )
    .version(VERSION, '-V, --version')
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => {
        // One line, also where a suggestion ("Did you mean …?") follows on a second one.
        const message = text
          .replace(/^error: /, '')
          .trimEnd()
          .replaceAll('\n', ' ');
        write(`viaduct: ${message} (see viaduct --help)\n`);
      },
    })
    .addHelpText('after', EXIT_CODES);

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
        'how bytes are moved: splice (Linux) costs least, portable works everywhere',
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
    .addHelpText('after', HTTP_EXAMPLE + EXIT_CODES)
    .action(async (port: string | undefined, options: ServerOptions) => {
      const { runServer } = await import('./server-command.js');
      setExit(await runServer(port, options));
    });

  program
    .command('client')
    .description(
      'Fetch a file over the route in an input file: the file name, then a line "host port" per hop.',
    )
    .argument('<input>', 'the input file, - for standard input')
    .option(
      '-o, --output <file>',
      "where to save, - for standard output (default: the file's own name, here)",
    )
    .addOption(secondsOption('--timeout', 'no data', SILENCE_MS))
    .addOption(secondsOption('--connect-timeout', 'dialling the first hop', CONNECT_MS))
    .addOption(countOption('--max-hops', 'hops of a route', MAX_HOPS))
    .addHelpText('after', EXIT_CODES)
    .action(async (input: string, options: ClientOptions) => {
      const { runClient } = await import('./client-command.js');
      setExit(await runClient(input, options));
    });
  return program;
}

/** A time limit in seconds for the user, in milliseconds for the program. */
function secondsOption(flag: string, what: string, defaultMs: number, orNone = false): Option {
  return new Option(`${flag} <seconds>`, `time limit: ${what}`)
    .default(defaultMs, String(defaultMs / 1000))
    .argParser((text: string) => {
      const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
      const valid = (orNone ? seconds >= 0 : seconds > 0) && seconds * 1000 <= MAX_TIMER_MS;
      if (!valid)
        throw new InvalidArgumentError(`Expected seconds, ${orNone ? '0 or more' : 'more than 0'}.`);
      return seconds * 1000;
    });
}

function countOption(flag: string, what: string, defaultCount: number): Option {
  return new Option(`${flag} <n>`, `most ${what}`).default(defaultCount).argParser((text: string) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (count < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
    return count;
  });
}

// Whoever reads our lines may leave early (`| head`). That ends no transfer; a sink reports its own failures.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

let exit = 0;
try {
  await buildProgram((code) => (exit = code)).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) exit = error.exitCode === 0 ? 0 : 2;
  else exit = printError(asViaductError(error));
}
await flushOutput();
process.exit(exit);
