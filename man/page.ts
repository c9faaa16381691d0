import type { Argument, Command, Option } from 'commander';
import { fill } from './template.js';

/**
 * The manual page, in mdoc(7): the hand-written template, with what the program knows of itself in place of
 * its marks `@SYNOPSIS@`, `@COMMANDS@` and `@EXIT_STATUS@`.
 */
export function manualPage(
  template: string,
  program: Command,
  exitCodes: readonly (readonly [code: string, meaning: string])[],
): string {
  const commands = program.commands;
  return fill(template, {
    SYNOPSIS: [...commands.map(usage), '.Nm\n.Fl -version'].join('\n'),
    COMMANDS: commands.map(commandSection).join('\n'),
    EXIT_STATUS: list(exitCodes.map(([code, meaning]) => item(code, meaning))),
  });
}

function commandSection(command: Command): string {
  const help = command.createHelp();
  const operands = help.visibleArguments(command).map((operand) => {
    return item(argument(operand), help.argumentDescription(operand));
  });
  const options = help
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help')
    .map((option) => item(flags(option), help.optionDescription(option)));
  const items = [...operands, ...options];
  const heading = [`.Ss viaduct ${command.name()}`, usage(command), '.Pp', text(command.description())];
  return [...heading, ...(items.length === 0 ? [] : [list(items)])].join('\n');
}

/** A macro a line, since `Op` encloses the rest of its line. */
function usage(command: Command): string {
  const { options, registeredArguments } = command;
  return [
    '.Nm',
    `.Cm ${command.name()}`,
    ...(options.length === 0 ? [] : ['.Op Ar options']),
    ...registeredArguments.map((operand) =>
      operand.required ? `.${argument(operand)}` : `.Op ${argument(operand)}`,
    ),
  ].join('\n');
}

function argument(operand: Argument): string {
  return `Ar ${operand.name()}${operand.variadic ? ' ...' : ''}`;
}

/** `-o, --output <file>` as `Fl o , Fl -output Ar file` */
function flags({ flags: written }: Option): string {
  return written
    .split(/[ ,|]+/)
    .map((part) => {
      if (part.startsWith('-')) return `Fl ${part.slice(1)}`;
      const name = part.replace(/^[<[]|[>\]]$/g, '');
      return part.startsWith('[') ? `Op Ar ${name}` : `Ar ${name}`;
    })
    .join(' ')
    .replaceAll(' Fl', ' , Fl');
}

function list(items: readonly string[]): string {
  return ['.Bl -tag -width Ds', ...items, '.El'].join('\n');
}

function item(head: string, body: string): string {
  return `.It ${head}\n${text(body)}`;
}

/** Plain text as lines of mdoc: sentences begin on lines of their own, and nothing looks like a macro. */
function text(plain: string): string {
  return plain
    .replaceAll('\\', '\\e')
    .replaceAll(/(?<!\w)-+(?=\w)/g, (dashes) => dashes.replaceAll('-', '\\-'))
    .replaceAll(/([.!?]) (?=[A-Z])/g, '$1\n')
    .replaceAll(/(.{1,78})(?: |$)/gm, '$1\n')
    .replaceAll(/\n+/g, '\n')
    .trimEnd()
    .replaceAll(/^(?=[.'])/gm, '\\&');
}
