import type { Argument, Command, Option } from 'commander';

/** What may stand in a place: names of files, names of folders, one of some words, or anything else (none). */
export type Words = 'files' | 'folders' | readonly string[];

/** An option as a shell completes it. */
export interface OptionWords {
  /** As typed: `-o`, `--output`. */
  readonly flags: readonly string[];
  /** One short clause. */
  readonly description: string;
  readonly repeatable: boolean;
  /** Undefined if the option takes no value, or may go without. */
  readonly value: Words | undefined;
}

/** A command as a shell completes it. */
export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** What may stand where no option does. */
  readonly operands: Words;
}

/** Names that help shows for a value, such as `<file>`, where they say what the value is. */
const PLACEHOLDERS: Readonly<Record<string, Words>> = {
  file: 'files',
  input: 'files',
  path: 'files',
  dir: 'folders',
};

/** The words of all commands that help shows, and of the program itself, which has an empty name. */
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
    // An option that collects its values by a function says so to people only.
    repeatable: description.includes('repeatable'),
    value: option.required ? valueWords(option, placeholder) : undefined,
  };
}

function valueWords({ argChoices }: Argument | Option, placeholder: string): Words {
  return argChoices ?? PLACEHOLDERS[placeholder] ?? [];
}

/** A description up to its first sentence's end, bracket or semicolon. */
function brief(description: string): string {
  return description.split(/\.?$|\. |; | \(/, 1)[0] ?? '';
}
