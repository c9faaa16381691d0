import { Command, CommanderError } from 'commander';
import { asViaductError } from '../errors.js';
import { withoutTokens } from '../route/share-link.js';
import { withoutPasswords } from '../route/url.js';
import { VERSION } from '../version.js';
import { addAuthorizeCommand } from './authorize/command.js';
import { addCatCommand } from './cat/command.js';
import { addClientCommand } from './client/command.js';
import { addCompletionCommand } from './completion/command.js';
import { addConfigCommand } from './config/command.js';
import { readConfig } from './config/file.js';
import { addOpposites, applySettings, settable } from './config/settings.js';
import type { CommandContext } from './context.js';
import { exitCodesHelp, outcomeOf } from './exit-codes.js';
import { addGetCommand } from './get/command.js';
import { addIdentityCommand } from './identity/command.js';
import { addKnownCommand } from './known/command.js';
import { addListCommand } from './ls/command.js';
import { addOpenCommand } from './open/command.js';
import { addParkedCommand } from './parked/command.js';
import { addServerCommand } from './server/command.js';
import { addShareCommand } from './share/command.js';
import { flushOutput } from './terminal/lines.js';
import { printError } from './terminal/print.js';
import { addTraceCommand } from './trace/command.js';

export { endProcess } from './terminal/interruption.js';

/** Width of help where the output is not a terminal. */
const HELP_COLUMNS = 80;

/** Each function adds one command; help, the manual page and completion list them in this order. */
const COMMANDS: ReadonlyMap<string, (program: Command, context: CommandContext) => void> = new Map([
  ['server', addServerCommand],
  ['get', addGetCommand],
  ['cat', addCatCommand],
  ['ls', addListCommand],
  ['open', addOpenCommand],
  ['trace', addTraceCommand],
  ['client', addClientCommand],
  ['identity', addIdentityCommand],
  ['authorize', addAuthorizeCommand],
  ['share', addShareCommand],
  ['known', addKnownCommand],
  ['parked', addParkedCommand],
  ['config', (program, context) => addConfigCommand(program, context, () => buildProgram(context))],
  ['completion', (program, context) => addCompletionCommand(program, context, () => buildProgram(context))],
]);

/**
 * Runs the command that the arguments name until it ends, and sets `context.exitCode`.
 * @param args the arguments after the name of the program
 */
export async function runProgram(args: readonly string[], context: CommandContext = process): Promise<void> {
  const program = buildProgram(context, args[0]);
  let current = program;
  program.commands.forEach(addOpposites);
  program.hook('preAction', async (_, command) => {
    current = command;
    // A script that a shell loads at its start must not fail because of the file.
    if (settable(command).length > 0) applySettings(command, await readConfig(), () => buildProgram(context));
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    context.exitCode = reportFailure(error, current, context);
  }
  await flushOutput(context);
}

/** Returns the exit code. Commander has already printed what it rejects with. */
function reportFailure(error: unknown, command: Command, { stderr }: CommandContext): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const known = asViaductError(error);
  if (known.code !== 'USAGE') return printError(known, stderr);
  stderr.write(usageLine(known.message, command));
  return outcomeOf(known).exit;
}

/** The line that is printed for wrong usage of a command. */
function usageLine(message: string, command: Command): string {
  const name = command.parent === null ? command.name() : `${command.parent.name()} ${command.name()}`;
  return `viaduct: ${withoutTokens(withoutPasswords(message))} (see ${name} --help)\n`;
}

/**
 * The whole command line. An action sets the exit code of the context; help, `--version` and wrong usage
 * reject with a CommanderError.
 *
 * @param only if this names a command, the others are left out, which makes the start faster
 */
export function buildProgram(context: CommandContext = process, only = ''): Command {
  const program = new Command('viaduct')
    .description(
      'Fetch a file from a host that you cannot reach directly, over a chain of hosts that can reach each other.',
    )
    .version(VERSION, '-V, --version')
    .exitOverride()
    .addHelpText('afterAll', exitCodesHelp());
  const named = COMMANDS.get(only);
  for (const addCommand of named === undefined ? COMMANDS.values() : [named]) addCommand(program, context);
  for (const command of [program, ...program.commands]) {
    command.configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      getOutHelpWidth: () => widthOf(context.stdout),
      getErrHelpWidth: () => widthOf(context.stderr),
      outputError: (text, write) => {
        // Commander prints a suggestion ("Did you mean …?") on a second line; here it stays on one.
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

function widthOf({ isTTY, columns }: NodeJS.WriteStream): number {
  return isTTY ? columns : HELP_COLUMNS;
}
