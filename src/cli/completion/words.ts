import type { Argument, Command, Option } from 'commander';
import { isRepeatable } from '../options.js';

/** What is completed: file names, folder names, some words, or nothing (an empty list). */
export type Words = 'files' | 'folders' | readonly string[];

/** What a shell needs to complete an option. */
export interface OptionWords {
  /** As typed: `-o`, `--output`. */
  readonly flags: readonly string[];
  /** One short clause. */
  readonly description: string;
  readonly repeatable: boolean;
  /** Undefined if the option has no value, or an optional one. */
  readonly value: Words | undefined;
}

/** What a shell needs to complete a command. */
export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** Completes arguments that are not options. */
  readonly operands: Words;
}

/** Placeholders of values in help, such as `<file>`, that show the kind of the value. */
const PLACEHOLDERS: Readonly<Record<string, Words>> = {
  file: 'files',
  input: 'files',
  path: 'files',
  dir: 'folders',
};

/** The words of all commands that help lists, and of the program itself, which has an empty name. */
export function wordsOf(program: Command): readonly CommandWords[] {
  const commands = program.createHelp().visibleCommands(program);
  const names = commands.map((command) => command.name());
  return [
    commandWords(program, '', names),
    ...commands.map((command) => {
      const name = command.name();
      return commandWords(command, name, name === 'help' ? names : operandsOf(command));
    }),
  ];
}

function commandWords(command: Command, name: string, operands: Words): CommandWords {
  const help = command.createHelp();
  const options = help.visibleOptions(command).map(optionWords);
  return { name, description: brief(help.subcommandDescription(command)), options, operands };
}

function operandsOf(command: Command): Words {
  const [operand] = command.registeredArguments;
  return operand === undefined ? [] : valueWords(operand, operand.name());
}

function optionWords(option: Option): OptionWords {
  const { short, long, description, flags } = option;
  const placeholder = /<(.+)>/.exec(flags)?.[1] ?? '';
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description: brief(description),
    repeatable: isRepeatable(option),
    value: option.required ? valueWords(option, placeholder) : undefined,
  };
}

function valueWords({ argChoices }: Argument | Option, placeholder: string): Words {
  return argChoices ?? PLACEHOLDERS[placeholder] ?? [];
}

/** A description up to its first period, bracket or semicolon. */
function brief(description: string): string {
  return description.split(/\.?$|\. |; | \(/, 1)[0] ?? '';
}
