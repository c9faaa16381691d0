import { Command, CommanderError } from 'commander';
import { asViaductError } from '../errors.js';
import { withoutPasswords } from '../route/url.js';
import { VERSION } from '../version.js';
import { addClientCommand } from './client/command.js';
import { addCompletionCommand } from './completion/command.js';
import { addGetCommand } from './get/command.js';
import { addListCommand } from './ls/command.js';
import { addServerCommand } from './server/command.js';
import { addTraceCommand } from './trace/command.js';
import { exitCodesHelp, outcomeOf } from './exit-codes.js';
import { flushOutput } from './terminal/lines.js';
import { printError } from './terminal/print.js';

/** Each adds a command to the program; help, the man page and completion list them in this order. */
const COMMANDS: ReadonlyMap<string, (program: Command) => void> = new Map([
  ['server', addServerCommand],
  ['get', addGetCommand],
  ['ls', addListCommand],
  ['trace', addTraceCommand],
  ['client', addClientCommand],
  ['completion', addCompletionCommand],
]);

/** Runs the command that the arguments of this process ask for, to its end, and sets `process.exitCode`. */
export async function runProgram(): Promise<void> {
  const program = buildProgram(process.argv[2] === "completion" ? undefined : process.argv[2]);
  let running = program;
  program.hook('preAction', (_, command) => {
    running = command;
  });
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = tellFailure(error, running);
  }
  await flushOutput();
}

/** Returns the exit code. What Commander rejects with has been told. */
function tellFailure(error: unknown, command: Command): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const known = asViaductError(error);
  if (known.code !== 'USAGE') return printError(known);
  process.stderr.write(usageLine(known.message, command));
  return outcomeOf(known).exit;
}

/** The one line that wrong usage of a command gets. */
function usageLine(message: string, command: Command): string {
  const name = command.parent === null ? command.name() : `${command.parent.name()} ${command.name()}`;
  return `viaduct: ${withoutPasswords(message)} (see ${name} --help)\n`;
}

/**
 * The command line as a whole. A command's action sets `process.exitCode`; help, the version and wrong usage
 * reject with a CommanderError.
 */
export function buildProgram(name = ''): Command {
  const program = new Command('viaduct')
    .description(
      'Fetch a file from a host that you cannot reach directly, over a chain of hosts that can reach each other.',
    )
    .version(VERSION, '-V, --version')
    .exitOverride()
    .addHelpText('afterAll', exitCodesHelp());
  const only = COMMANDS.get(name);
  for (const addCommand of only === undefined ? COMMANDS.values() : [only]) addCommand(program);
  for (const command of [program, ...program.commands]) {
    command.configureOutput({
      outputError: (text, write) => {
        // One line, also where a suggestion ("Did you mean …?") follows on a second one.
        const message = text
          .replace(/^error: /, '')
          .trimEnd()
          .replaceAll('\n', ' ');
        write(usageLine(message, command));
      },
    });
  }
  return program;
}
