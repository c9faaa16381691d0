import { type Command, InvalidArgumentError, Option } from 'commander';
import { ViaductError } from '../../errors.js';
import { isRepeatable } from '../options.js';
import { visible } from '../../text.js';
import { type ConfigFile, type Setting, unknownKey } from './file.js';
import type { RankedOptions } from './ranks.js';
import { isTable } from './toml.js';

/** The section of a configuration file for all commands that have the option. */
const DEFAULTS = 'defaults';

/** Where a value of an option comes from, from the strongest to the weakest. */
export type Source = 'command line' | 'environment' | 'file' | 'default';

/** A value that may hold for an option, unless a stronger one does. */
interface Candidate {
  readonly option: Option;
  readonly value: unknown;
  readonly source: Source;
  /** The variable, or `FILE:LINE`. */
  readonly place: string;
}

/** Options that were set otherwise than on the command line, by their names. */
export type Applied = ReadonlyMap<string, Pick<Candidate, 'value' | 'source' | 'place'>>;

/** The key of an option in a configuration file: `--no-verify` is `verify`. */
export function keyOf(option: Option): string {
  return option.name().replace(/^no-/, '');
}

/** `VIADUCT_GET_RETRY_TIME` for `get --retry-time`. */
export function variableOf(command: string, option: Option): string {
  return `VIADUCT_${command}_${keyOf(option)}`.toUpperCase().replaceAll('-', '_');
}

/** The options of a command that can be set: not the opposites that {@link addOpposites} adds. */
export function settable(command: Command): readonly Option[] {
  return command.options.filter(({ hidden }) => !hidden);
}

/**
 * Gives each switch an opposite, `--no-json` for `--json` and `--verify` for `--no-verify`, so that the command line can take
 * back what is set elsewhere. Help does not list them.
 */
export function addOpposites(command: Command): void {
  for (const option of settable(command)) {
    if (!isSwitch(option)) continue;
    const opposite = `--${option.negate ? '' : 'no-'}${keyOf(option)}`;
    command.addOption(new Option(opposite).hideHelp());
  }
}

/**
 * Sets options of a command that the command line has not set: from the environment, else from the file. What excludes an
 * option of a stronger source is left out.
 * @param program with all commands, which shows what sections and keys there can be
 * @throws ViaductError USAGE that names the variable, BAD_CONFIG that names the line
 */
export function applySettings(command: Command, file: ConfigFile, program: () => Command): Applied {
  if (file.settings.length > 0) checkKeys(file.settings, program());
  const options = settable(command);
  const applied = new Map<string, Candidate>();
  takeBack(command, options);
  const ranks = [
    fromEnvironment(command.name(), options),
    fromFile(file.settings, command.name(), options),
    fromFile(file.settings, DEFAULTS, options),
  ];
  const numbers = new Map<string, number>();
  for (const [index, candidates] of ranks.entries()) {
    const stronger = options.filter(
      (option) => isSet(command, option) && isActive(option, command.getOptionValue(option.attributeName())),
    );
    const free = candidates.filter(
      ({ option }) => !isSet(command, option) && !stronger.some((other) => exclude(option, other)),
    );
    for (const candidate of free) {
      const other = free.find(
        ({ option, value }) => isActive(option, value) && exclude(candidate.option, option),
      );
      if (other !== undefined && isActive(candidate.option, candidate.value))
        throw wrong(candidate, `excludes ${keyOf(other.option)} (${other.place})`);
      command.setOptionValueWithSource(candidate.option.attributeName(), parsed(candidate), 'config');
      applied.set(keyOf(candidate.option), candidate);
      numbers.set(candidate.option.attributeName(), index + 1);
    }
  }
  const ranked: RankedOptions = { ranks: numbers };
  for (const [name, value] of Object.entries(ranked)) command.setOptionValue(name, value);
  return applied;
}

/** @throws ViaductError BAD_CONFIG for a section or a key that no command has */
function checkKeys(settings: readonly Setting[], program: Command): void {
  for (const { section, key, value, place } of settings) {
    const commands = program.commands.filter((command) => section === DEFAULTS || command.name() === section);
    const isKnown = commands.some((command) => settable(command).some((option) => keyOf(option) === key));
    if (commands.length === 0) throw unknownKey([section], place);
    if (key === '' && !isTable(value))
      throw new ViaductError('BAD_CONFIG', `${place}: ${section} must be a table, [${section}]`);
    if (key !== '' && !isKnown) throw unknownKey([section, key], place);
  }
}

/** An opposite switches back to what holds without any option. */
function takeBack(command: Command, options: readonly Option[]): void {
  for (const option of options.filter((each) => isSwitch(each) && !each.negate)) {
    const key = option.attributeName();
    if (command.getOptionValueSource(key) === 'cli' && command.getOptionValue(key) === false)
      command.setOptionValueWithSource(key, option.defaultValue, 'cli');
  }
}

function isSet(command: Command, option: Option): boolean {
  return ![undefined, 'default'].includes(command.getOptionValueSource(option.attributeName()));
}

/** A switch that is off excludes nothing. */
function isActive(option: Option, value: unknown): boolean {
  return !isSwitch(option) || value === !option.negate;
}

export function isSwitch(option: Option): boolean {
  return option.negate || option.isBoolean();
}

function exclude(option: Option, other: Option): boolean {
  return (
    namesExcludedBy(option).includes(other.attributeName()) ||
    namesExcludedBy(other).includes(option.attributeName())
  );
}

/** Commander has no public member for what `Option.conflicts` was called with. */
function namesExcludedBy(option: Option): readonly unknown[] {
  const names: unknown = 'conflictsWith' in option ? option.conflictsWith : undefined;
  return Array.isArray(names) ? names : [];
}

function fromEnvironment(command: string, options: readonly Option[]): Candidate[] {
  return options.flatMap((option) => {
    const place = variableOf(command, option);
    const text = process.env[place] ?? '';
    if (text === '') return [];
    const isOn = isSwitch(option) ? SWITCH.get(text.toLowerCase()) : undefined;
    const value = isRepeatable(option) ? text.split('\n').filter((line) => line !== '') : text;
    return [{ option, place, source: 'environment' as const, value: isOn ?? value }];
  });
}

const SWITCH: ReadonlyMap<string, boolean> = new Map([
  ['1', true],
  ['true', true],
  ['0', false],
  ['false', false],
]);

function fromFile(settings: readonly Setting[], section: string, options: readonly Option[]): Candidate[] {
  return options.flatMap((option) => {
    const setting = settings.find((each) => each.section === section && each.key === keyOf(option));
    return setting === undefined ? [] : [{ option, source: 'file' as const, ...setting }];
  });
}

/** The value as the command gets it: a text goes through the parser that it would on the command line. */
function parsed(candidate: Candidate): unknown {
  const { option, value } = candidate;
  if (isSwitch(option)) {
    if (typeof value !== 'boolean')
      throw wrong(candidate, candidate.source === 'file' ? 'expected true or false' : 'expected 1 or 0');
    return value || option.negate ? value : option.defaultValue;
  }
  if (option.optional && value === true) return true;
  const texts = textsOf(value);
  if (texts.length === 0)
    throw wrong(
      candidate,
      candidate.source === 'file' ? 'expected a value in quotes, or a number' : 'expected a value',
    );
  if (texts.length > 1 && !isRepeatable(option)) throw wrong(candidate, 'expected one value, not several');
  const { parseArg } = option;
  if (parseArg === undefined) return texts[0];
  let result: unknown;
  try {
    for (const text of texts) result = parseArg.call(option, text, result);
  } catch (error) {
    if (error instanceof InvalidArgumentError || error instanceof ViaductError)
      throw wrong(candidate, error.message);
    throw error;
  }
  return result;
}

function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((each) => (Array.isArray(each) ? [] : textsOf(each)));
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
}

function wrong({ place, source, option }: Candidate, why: string): ViaductError {
  const what = source === 'file' ? `${place}: ${keyOf(option)}` : place;
  return new ViaductError(source === 'file' ? 'BAD_CONFIG' : 'USAGE', `${visible(what, Infinity)}: ${why}`);
}
