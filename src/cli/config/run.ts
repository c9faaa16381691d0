import type { Command, Option } from 'commander';
import { ViaductError } from '../../errors.js';
import { withoutTokens } from '../../route/share-link.js';
import { withoutPasswords } from '../../route/url.js';
import { visible } from '../../text.js';
import type { CommandContext } from '../context.js';
import { isRepeatable } from '../options.js';
import { jsonLine } from '../terminal/print.js';
import { standardOutput, untilReaderLeaves } from '../terminal/standard-output.js';
import { type ConfigFile, configPath, readConfig } from './file.js';
import {
  type Source,
  addOpposites,
  applySettings,
  isSwitch,
  keyOf,
  settable,
  variableOf,
} from './settings.js';

export interface ConfigOptions {
  readonly json?: true;
}

/** A line of the output. */
interface Line {
  /** `route.lab`, or the name of a command. */
  readonly section: string;
  readonly key: string;
  readonly value: unknown;
  readonly source: Source;
  /** The variable, or `FILE:LINE`. */
  readonly place?: string | undefined;
}

/** Prints routes and options. Returns the exit code. */
export async function runConfig(
  words: readonly string[],
  { json }: ConfigOptions,
  wholeProgram: () => Command,
  { stdout, stderr }: CommandContext,
): Promise<number> {
  const file = await readConfig();
  const [name] = words;
  const lines =
    name === undefined
      ? [...routeLines(file), ...changedLines(file, wholeProgram)]
      : await allLines(name, words, file, wholeProgram);
  const safe = lines.map((line) => Object.assign({}, line, { value: shown(line.value) }));
  const text = json ? safe.map(jsonLine).join('') : asToml(safe);
  const path = configPath();
  const found = path === undefined || file.path !== undefined ? '' : ' does not exist';
  const heading =
    json || name !== undefined ? '' : `# ${visible(path ?? 'no home folder for a file', Infinity)}${found}\n`;
  await untilReaderLeaves(standardOutput(stdout)(Buffer.from(heading + text)));
  for (const variable of unknownVariables(wholeProgram()))
    stderr.write(`viaduct: warning: ${visible(variable)} is not an option of any command; it is ignored\n`);
  return 0;
}

function routeLines({ routes }: ConfigFile): Line[] {
  return [...routes].map(([name, { prefix, place }]) => {
    return { section: `route.${name}`, key: 'via', value: prefix.split('/@'), source: 'file', place };
  });
}

/** What the file and the environment set, for each command. */
function changedLines(file: ConfigFile, wholeProgram: () => Command): Line[] {
  return wholeProgram().commands.flatMap((command) => {
    addOpposites(command);
    const applied = applySettings(command, file, wholeProgram);
    return [...applied].map(([key, { value, source, place }]) => ({
      section: command.name(),
      key,
      value,
      source,
      place,
    }));
  });
}

/** All options of one command, with what the rest of its command line sets. */
async function allLines(
  name: string,
  words: readonly string[],
  file: ConfigFile,
  wholeProgram: () => Command,
): Promise<Line[]> {
  const program = wholeProgram();
  const command = program.commands.find((each) => each.name() === name);
  if (command === undefined) throw new ViaductError('USAGE', `unknown command "${visible(name)}"`);
  addOpposites(command);
  const typed = new Map<string, unknown[]>();
  for (const option of command.options)
    command.on(`option:${option.name()}`, (value: unknown) => {
      const texts = [...(typed.get(keyOf(option)) ?? []), value ?? !option.negate];
      typed.set(keyOf(option), texts);
    });
  for (const argument of command.registeredArguments) argument.argOptional();
  command.action(() => {});
  await program.parseAsync(words, { from: 'user' });
  const applied = applySettings(command, file, wholeProgram);
  return settable(command).flatMap((option): Line[] => {
    const key = keyOf(option);
    const line = { section: name, key };
    const texts = typed.get(key);
    if (texts !== undefined)
      return [
        {
          ...line,
          value: texts.length > 1 && isRepeatable(option) ? texts : texts.at(-1),
          source: 'command line',
        },
      ];
    const set = applied.get(key);
    if (set !== undefined) return [{ ...line, value: set.value, source: set.source, place: set.place }];
    const value = defaultOf(option);
    return value === undefined ? [] : [{ ...line, value, source: 'default' }];
  });
}

/** As a user writes it. Undefined for an option that does nothing unless it is given. */
function defaultOf(option: Option): unknown {
  if (isSwitch(option)) return option.negate;
  const written: unknown = option.defaultValueDescription ?? option.defaultValue;
  return written;
}

function unknownVariables(program: Command): readonly string[] {
  const known = new Set(
    program.commands.flatMap((command) =>
      settable(command).map((option) => variableOf(command.name(), option)),
    ),
  );
  return Object.keys(process.env).filter((name) => name.startsWith('VIADUCT_') && !known.has(name));
}

/** In the form of the file, with the source of each value behind it. */
function asToml(lines: readonly Line[]): string {
  let section: string | undefined;
  return lines
    .map((line) => {
      const table = line.section.replace(/^route\.(.*\..*)$/, 'route."$1"');
      const header = line.section === section ? '' : `\n[${table}]\n`;
      section = line.section;
      return `${header}${line.key} = ${formatted(line.value)}  # ${line.place ?? line.source}\n`;
    })
    .join('')
    .replace(/^\n/, '');
}

function formatted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatted).join(', ')}]`;
  return typeof value === 'string'
    ? `"${visible(value, Infinity).replaceAll(/[\\"]/g, '\\$&')}"`
    : String(value);
}

/** A number as one, wherever it comes from, and a text without the secrets in it. */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'string') return value;
  return NUMBER.test(value) ? Number(value) : withoutTokens(withoutPasswords(value));
}

const NUMBER = /^(?:0|[1-9]\d{0,14})(?:\.\d+)?$/;
