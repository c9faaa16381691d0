import type { Command, Help, Option } from 'commander';
import { code, escapeCell, table } from './markdown.js';
import { fill } from './template.js';

/**
 * docs/cli.md: the hand-written template, with the arguments and options of each command in place of its marks
 * `@viaduct COMMAND@`, and the exit codes in place of `@EXIT_CODES@`.
 */
export function cliPage(
  template: string,
  program: Command,
  exitCodes: readonly (readonly [code: string, meaning: string])[],
): string {
  const sections = program.commands.map((command) => [`viaduct ${command.name()}`, commandSection(command)]);
  return fill(template, {
    ...Object.fromEntries(sections),
    EXIT_CODES: table(
      ['code', 'meaning'],
      exitCodes.map((row) => row.map(escapeCell)),
    ),
  });
}

function commandSection(command: Command): string {
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  const operands = help
    .visibleArguments(command)
    .map((operand) => [code(operand.name()), '', described(help.argumentDescription(operand)).meaning]);
  const rows = [...operands, ...options.map((option) => optionRow(option, help))];
  return [
    `## \`viaduct ${command.name()}\``,
    `\`\`\`\n${help.commandUsage(command)}\n\`\`\``,
    escapeCell(command.description()),
    ...(rows.length === 0 ? [] : [table(['', 'default', ''], rows)]),
  ].join('\n\n');
}

function optionRow(option: Option, help: Help): string[] {
  const { meaning, fallback } = described(help.optionDescription(option));
  // A switch is off if it is not given.
  const shown = fallback === undefined || option.isBoolean() ? '' : fallback;
  return [code(option.flags), escapeCell(shown), meaning];
}

/** Takes the default out of a description, where Commander, or the description itself, puts it at the end. */
function described(description: string): {
  readonly meaning: string;
  readonly fallback: string | undefined;
} {
  const [, text = '', choices, fallback] =
    /^(.*?)(?: \((?:choices: (.*?))?(?:, )?(?:default: (.*))?\))?$/.exec(description) ?? [];
  const listed = choices === undefined ? '' : ` (${choices.replaceAll('"', '`')})`;
  return {
    meaning: escapeCell(text) + listed,
    fallback: fallback?.replaceAll('"', ''),
  };
}
