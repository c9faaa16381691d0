import { ViaductError } from '../../errors.js';
import { addKnownHost, removeKnownHost } from '../../identity/change-known-hosts.js';
import { parseHostName } from '../../identity/host-name.js';
import { type KnownHost, knownHostsPath, readKnownHosts } from '../../identity/known-hosts.js';
import { stateFolderPath } from '../../identity/state-folder.js';
import { knownCommand } from '../../identity/trust.js';
import { notAPin, parsePin } from '../../route/pin.js';
import { visible } from '../../text.js';
import type { CommandContext } from '../context.js';
import { jsonLine } from '../terminal/print.js';
import { standardOutput, untilReaderLeaves } from '../terminal/standard-output.js';

export type KnownAction = 'list' | 'add' | 'remove';

export interface KnownOptions {
  /** `--state` */
  readonly state?: string;
  readonly json?: true;
}

/** Lists or changes `known_hosts`. Returns the exit code. */
export async function runKnown(
  action: KnownAction,
  name: string | undefined,
  pin: string | undefined,
  { state, json }: KnownOptions,
  context: CommandContext,
): Promise<number> {
  const folder = stateFolderPath(state);
  if (json && action !== 'list') throw usage('--json is only for list');
  switch (action) {
    case 'list':
      if (name !== undefined) throw usage('list has no further arguments');
      await list(folder, json === true ? asJson : asLine, context);
      return 0;
    case 'add':
      if (name === undefined || pin === undefined) throw usage('expected: known add NAME PIN');
      await add(folder, parseHostName(name), pin, state);
      return 0;
    case 'remove':
      if (name === undefined || pin !== undefined) throw usage('expected: known remove NAME');
      await remove(folder, parseHostName(name));
      return 0;
  }
}

async function list(
  folder: string,
  format: (host: KnownHost) => string,
  { stdout }: CommandContext,
): Promise<void> {
  const { hosts } = await readKnownHosts(folder);
  await untilReaderLeaves(standardOutput(stdout)(Buffer.from(hosts.map(format).join(''))));
}

async function add(folder: string, name: string, pinText: string, state: string | undefined): Promise<void> {
  const pin = parsePin(pinText);
  if (pin === undefined) throw usage(notAPin(pinText));
  if (await addKnownHost(folder, name, pin)) return;
  throw new ViaductError(
    'CHANGED_HOST_KEY',
    `${name} is known with another pin; to replace it, first run: ${knownCommand(state, 'remove', name)}`,
  );
}

async function remove(folder: string, name: string): Promise<void> {
  if ((await removeKnownHost(folder, name)) > 0) return;
  throw new ViaductError('UNKNOWN_HOST_KEY', `${name} is not in ${visible(knownHostsPath(folder))}`);
}

function asLine({ name, pin, comment }: KnownHost): string {
  return `${name} ${pin}${comment === undefined ? '' : ` ${visible(comment, Infinity)}`}\n`;
}

function asJson({ name, pin, comment, line }: KnownHost): string {
  return jsonLine({ name, pin, comment, line });
}

function usage(message: string): ViaductError {
  return new ViaductError('USAGE', message);
}
