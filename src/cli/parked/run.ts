import { ViaductError } from '../../errors.js';
import type { ParkedName } from '../../identity/parked-list.js';
import { forgetParkedNames, parkedNamesPath, readParkedNames } from '../../identity/parked-names.js';
import { stateFolderPath } from '../../identity/state-folder.js';
import { notAParkedName, parseParkedName } from '../../route/parked-name.js';
import { visible } from '../../text.js';
import type { CommandContext } from '../context.js';
import { jsonLine } from '../terminal/print.js';
import { standardOutput, untilReaderLeaves } from '../terminal/standard-output.js';

export type ParkedAction = 'list' | 'forget';

export interface ParkedOptions {
  /** `--state` */
  readonly state?: string;
  readonly json?: true;
}

/** Lists or changes `parked_nodes`. Returns the exit code. */
export async function runParked(
  action: ParkedAction,
  names: readonly string[],
  { state, json }: ParkedOptions,
  context: CommandContext,
): Promise<number> {
  const folder = stateFolderPath(state);
  if (json && action !== 'list') throw usage('--json is only for list');
  switch (action) {
    case 'list':
      if (names.length > 0) throw usage('list has no further arguments');
      await list(folder, json === true ? asJson : asLine, context);
      return 0;
    case 'forget':
      if (names.length === 0) throw usage('expected: parked forget NAME…');
      await forget(folder, names.map(nameOf));
      return 0;
  }
}

async function list(
  folder: string,
  format: (entry: ParkedName) => string,
  { stdout }: CommandContext,
): Promise<void> {
  const { names } = await readParkedNames(folder);
  await untilReaderLeaves(standardOutput(stdout)(Buffer.from(names.map(format).join(''))));
}

async function forget(folder: string, names: readonly string[]): Promise<void> {
  const unknown = await forgetParkedNames(folder, names);
  if (unknown.length === 0) return;
  const verb = unknown.length === 1 ? 'is' : 'are';
  const what = `${unknown.join(', ')} ${verb} not in ${visible(parkedNamesPath(folder))}`;
  // The same failure, and exit code, as that of `known remove`.
  throw new ViaductError('UNKNOWN_HOST_KEY', names.length === 1 ? what : `${what}; no name was forgotten`);
}

function nameOf(text: string): string {
  const name = parseParkedName(text);
  if (name === undefined) throw usage(notAParkedName(text));
  return name;
}

function asLine({ name, pin, since }: ParkedName): string {
  return `${name} ${pin} ${since}\n`;
}

function asJson({ name, pin, since, line }: ParkedName): string {
  return jsonLine({ name, pin, since, line });
}

function usage(message: string): ViaductError {
  return new ViaductError('USAGE', message);
}
